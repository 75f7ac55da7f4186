// The service worker: it shows the panel when a notification is clicked. It keeps nothing.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then(([open]) => (open ? open.focus() : self.clients.openWindow("/#/events?q=alarm"))),
  );
});
