// Before the first paint: the colours that were chosen by hand. A script of its own, as modules run later.
try {
  const { theme } = JSON.parse(localStorage.getItem("vscp-panel")) ?? {};
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // Nothing is remembered, or it cannot be read: the colours of the system.
}
