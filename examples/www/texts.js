// All words of the panel, in each of its languages.

/** Where the device remembers the language. */
const STORAGE = "vscp-language";
const LANGUAGES = ["en", "sv"];

/**
 * Key to the text in each language. `{name}` stands for a value. In a text with `|` the part in front of
 * it is for one (`{count}` is 1), the part behind it for any other number.
 * @type {Record<string, Record<string, string>>}
 */
export const TEXTS = {
  // Widgets on pages of others
  "widget.login": { en: "Not logged in", sv: "Inte inloggad" },
  "widget.retry": { en: "Try now", sv: "Försök nu" },
  "widget.user": { en: "User", sv: "Användare" },
  "widget.password": { en: "Password", sv: "Lösenord" },
  "widget.key": { en: "Key", sv: "Nyckel" },
  "widget.logIn": { en: "Log in", sv: "Logga in" },
  "widget.logOut": { en: "Log out", sv: "Logga ut" },
  "widget.on": { en: "On", sv: "På" },
  "widget.off": { en: "Off", sv: "Av" },
  "widget.open": { en: "Open", sv: "Öppen" },
  "widget.closedDoor": { en: "Closed", sv: "Stängd" },
  "widget.motion": { en: "Motion", sv: "Rörelse" },
  "widget.still": { en: "Still", sv: "Stilla" },
  "widget.unknown": { en: "Unknown", sv: "Okänt" },
  "widget.switching": { en: "Switching …", sv: "Växlar …" },
  "widget.noAnswer": { en: "No answer", sv: "Inget svar" },
  "widget.noValue": { en: "No value yet", sv: "Inget värde ännu" },
  "widget.noSensor": { en: "No such sensor", sv: "Ingen sådan givare" },
  "widget.noHistory": { en: "No values in this time", sv: "Inga värden under denna tid" },
  "widget.noEvents": { en: "Nothing has happened yet", sv: "Inget har hänt ännu" },
  "widget.since": { en: "since", sv: "sedan" },
  "widget.again": { en: "Press again", sv: "Tryck igen" },
  "widget.allZones": { en: "All zones? Press again", sv: "Alla zoner? Tryck igen" },
  "widget.sent": { en: "Sent", sv: "Skickat" },
  "widget.events": { en: "Events", sv: "Händelser" },

  // The connection
  "state.closed": { en: "Not connected", sv: "Inte ansluten" },
  "state.connecting": { en: "Connecting …", sv: "Ansluter …" },
  "state.open": { en: "Connected", sv: "Ansluten" },
  "state.waiting": { en: "Connection lost", sv: "Förbindelsen bröts" },

  // The list of events, and all about one
  "events.title": { en: "Events", sv: "Händelser" },
  "events.tools": { en: "Event list", sv: "Händelselista" },
  "events.filter": { en: "Filter", sv: "Filter" },
  "events.filterExample": { en: "Filter: temperature, zone:3, -heartbeat", sv: "Filter: temperatur, zone:3, -livstecken" },
  "events.filterHelp": {
    en: "Words that must be there, -word for those that must not; class:30, type:5, zone:3, priority:0, guid:… for exactly that",
    sv: "Ord som ska finnas, -ord för dem som inte får finnas; class:30, type:5, zone:3, priority:0, guid:… för exakt det",
  },
  "events.pause": { en: "Pause", sv: "Pausa" },
  "events.resume": { en: "Resume", sv: "Fortsätt" },
  "events.clear": { en: "Clear", sv: "Töm" },
  "events.export": { en: "Export CSV", sv: "Spara CSV" },
  "events.newestFirst": { en: "Events, newest first", sv: "Händelser, de senaste först" },
  "events.time": { en: "Time", sv: "Tid" },
  "events.class": { en: "Class", sv: "Klass" },
  "events.type": { en: "Type", sv: "Typ" },
  "events.event": { en: "Event", sv: "Händelse" },
  "events.details": { en: "Details", sv: "Detaljer" },
  "events.node": { en: "Node", sv: "Nod" },
  "events.prio": { en: "Prio", sv: "Prio" },
  "events.prioTitle": { en: "Priority: 0 is the highest, 7 the lowest", sv: "Prioritet: 0 är högst, 7 är lägst" },
  "events.kept": { en: "{kept} kept · {rate} a second", sv: "{kept} sparade · {rate} i sekunden" },
  "events.paused": { en: "{kept} kept · paused · {since} new", sv: "{kept} sparade · pausad · {since} nya" },
  "events.noMatch": { en: "No event matches the filter.", sv: "Ingen händelse passar filtret." },
  "events.waiting": { en: "Waiting for events …", sv: "Väntar på händelser …" },
  "events.pausedEmpty": { en: "Paused. {count} event has come since.|Paused. {count} events have come since.", sv: "Pausad. {count} händelse har kommit sedan dess.|Pausad. {count} händelser har kommit sedan dess." },
  "events.newer": { en: "{count} newer ↑|{count} newer ↑", sv: "{count} nyare ↑|{count} nyare ↑" },
  "events.sent": { en: "this panel", sv: "den här panelen" },
  "events.unnamed": { en: "node …{tail}", sv: "nod …{tail}" },
  "events.bytes": { en: "{count} byte: {hex}|{count} bytes: {hex}", sv: "{count} byte: {hex}|{count} byte: {hex}" },
  "events.byteCount": { en: "{count} byte|{count} bytes", sv: "{count} byte|{count} byte" },
  "events.newerOne": { en: "Newer", sv: "Nyare" },
  "events.olderOne": { en: "Older", sv: "Äldre" },
  "events.close": { en: "Close", sv: "Stäng" },
  "events.fields": { en: "Fields", sv: "Fält" },
  "events.data": { en: "Data", sv: "Data" },
  "events.byte": { en: "Byte", sv: "Byte" },
  "events.field": { en: "Field", sv: "Fält" },
  "events.value": { en: "Value", sv: "Värde" },
  "events.guid": { en: "GUID", sv: "GUID" },
  "events.priority": { en: "Priority", sv: "Prioritet" },
  "events.priority.high": { en: " · high", sv: " · hög" },
  "events.priority.normal": { en: " · normal", sv: " · normal" },
  "events.priority.low": { en: " · low", sv: " · låg" },
  "events.received": { en: "Received", sv: "Mottagen" },
  "events.date": { en: "Sender's date", sv: "Avsändarens datum" },
  "events.utc": { en: "{time} UTC", sv: "{time} UTC" },
  "events.notSet": { en: "not set", sv: "inte satt" },
  "events.timestamp": { en: "Time stamp", sv: "Tidsstämpel" },
  "events.microseconds": { en: "{time} µs", sv: "{time} µs" },
  "events.connection": { en: "Connection", sv: "Anslutning" },
  "events.head": { en: "Head", sv: "Huvud" },
  "events.flag.dumb": { en: "dumb node", sv: "enkel nod" },
  "events.flag.hardCoded": { en: "fixed nickname", sv: "fast kortadress" },
  "events.flag.noCrc": { en: "no CRC", sv: "ingen CRC" },
  "events.filterLike": { en: "Filter like this", sv: "Filtrera så här" },
  "events.sameType": { en: "Same type", sv: "Samma typ" },
  "events.sameNode": { en: "Same node", sv: "Samma nod" },
  "events.sameBoth": { en: "Both", sv: "Båda" },
  "events.copyAs": { en: "Copy as", sv: "Kopiera som" },
  "events.ws1": { en: "ws1 line", sv: "ws1-rad" },
  "events.copied": { en: "Copied.", sv: "Kopierat." },
  "events.notCopied": { en: "The browser did not let the panel copy.", sv: "Webbläsaren lät inte panelen kopiera." },
  "events.sendGroup": { en: "Send", sv: "Skicka" },
  "events.sendAgain": { en: "Send again", sv: "Skicka igen" },
  "events.edit": { en: "Change and send", sv: "Ändra och skicka" },

  // Sending
  "send.title": { en: "Send", sv: "Skicka" },
  "send.zone": { en: "Zone", sv: "Zon" },
  "send.subzone": { en: "Subzone", sv: "Delzon" },
  "send.all": { en: "all", sv: "alla" },
  "send.zoneHint": { en: "Zone 255 is the whole house: the panel asks first.", sv: "Zon 255 är hela huset: panelen frågar först." },
  "send.level": { en: "Level, %", sv: "Nivå, %" },
  "send.dim": { en: "Dim", sv: "Dimma" },
  "send.more": { en: "More commands", sv: "Fler kommandon" },
  "send.recent": { en: "Sent last", sv: "Senast skickade" },
  "send.any": { en: "Any event", sv: "Valfri händelse" },
  "send.class": { en: "Class", sv: "Klass" },
  "send.classNumber": { en: "Number of the class", sv: "Klassens nummer" },
  "send.type": { en: "Type", sv: "Typ" },
  "send.typeNumber": { en: "Number of the type", sv: "Typens nummer" },
  "send.choose": { en: "Choose …", sv: "Välj …" },
  "send.otherNumber": { en: "Other number …", sv: "Annat nummer …" },
  "send.carried": { en: "as level II", sv: "som nivå II" },
  "send.data": { en: "Data", sv: "Data" },
  "send.dataHint": { en: "Bytes, decimal or with 0x, at most 512.", sv: "Byte, decimalt eller med 0x, högst 512." },
  "send.guid": { en: "GUID", sv: "GUID" },
  "send.guidHint": { en: "“-” is the GUID of the driver.", sv: "”-” är drivrutinens GUID." },
  "send.guidWrong": { en: "16 pairs of hex digits with colons, or “-”.", sv: "16 par hexsiffror med kolon, eller ”-”." },
  "send.priority": { en: "Priority", sv: "Prioritet" },
  "send.highest": { en: "0 highest", sv: "0 högst" },
  "send.normal": { en: "3 normal", sv: "3 normal" },
  "send.lowest": { en: "7 lowest", sv: "7 lägst" },
  "send.send": { en: "Send event", sv: "Skicka händelse" },
  "send.byteWrong": { en: "“{word}” is no number from 0 to 255.", sv: "”{word}” är inget tal från 0 till 255." },
  "send.tooLong": { en: "At most {most} bytes.", sv: "Högst {most} byte." },
  "send.sent": { en: "Sent: {what}.", sv: "Skickat: {what}." },
  "send.notSent": { en: "Not sent: {what}. {reason}", sv: "Inte skickat: {what}. {reason}" },
  "send.allTitle": { en: "Send to all zones?", sv: "Skicka till alla zoner?" },
  "send.allText": { en: "“{what}” reaches everything in the house that listens to it.", sv: "”{what}” når allt i huset som lyssnar på det." },
  "send.allAction": { en: "Send to all", sv: "Skicka till alla" },
  "send.cancel": { en: "Cancel", sv: "Avbryt" },
  "state.again": { en: "Trying again …", sv: "Försöker igen …" },
  "state.countdown": { en: "Trying again in {seconds} s.", sv: "Försöker igen om {seconds} s." },
  "state.retry": { en: "Try now", sv: "Försök nu" },

  // The bar
  "nav.skip": { en: "Skip to the content", sv: "Hoppa till innehållet" },
  "nav.sections": { en: "Sections", sv: "Avdelningar" },
  "nav.home": { en: "Home", sv: "Hem" },
  "nav.events": { en: "Events", sv: "Händelser" },
  "nav.send": { en: "Send", sv: "Skicka" },
  "nav.nodes": { en: "Nodes", sv: "Noder" },
  "nav.system": { en: "System", sv: "System" },
  "nav.settings": { en: "Settings", sv: "Inställningar" },
  "nav.logout": { en: "Log out", sv: "Logga ut" },

  // Times
  "time.now": { en: "now", sv: "nu" },
  "time.ago": { en: "{duration} ago", sv: "för {duration} sedan" },
  "time.days": { en: "{count} day|{count} days", sv: "{count} dag|{count} dagar" },

  // The login
  "login.title": { en: "Log in", sv: "Logga in" },
  "login.about": { en: "See what happens in your home, and switch what is in it.", sv: "Se vad som händer i ditt hem, och styr det." },
  "login.user": { en: "User", sv: "Användare" },
  "login.password": { en: "Password", sv: "Lösenord" },
  "login.insecure": {
    en: "This page came without TLS: who can read the network can read the password.",
    sv: "Sidan kom utan TLS: den som kan läsa nätverket kan läsa lösenordet.",
  },
  "login.advanced": { en: "Advanced", sv: "Avancerat" },
  "login.why-key": {
    en: "Over this connection the login needs the key of the server. Over TLS, or on the server itself, name and password are enough.",
    sv: "Över den här förbindelsen behöver inloggningen serverns nyckel. Över TLS, eller på servern själv, räcker namn och lösenord.",
  },
  "login.server": { en: "Server", sv: "Server" },
  "login.server.title": { en: "ws:// or wss://, host and port", sv: "ws:// eller wss://, värd och port" },
  "login.key": { en: "Key (hex)", sv: "Nyckel (hex)" },
  "login.key.title": { en: "32 hex digits", sv: "32 hexadecimala siffror" },
  "login.key.hint": {
    en: "The server's 128-bit key. What stands here at first is the key of the demonstration, which everybody knows.",
    sv: "Serverns nyckel med 128 bitar. Det som står här först är demonstrationens nyckel, som alla känner till.",
  },
  "login.keep-key": { en: "Remember the key on this device", sv: "Kom ihåg nyckeln på den här enheten" },
  "login.protocol": { en: "Protocol", sv: "Protokoll" },
  "login.button": { en: "Log in", sv: "Logga in" },
  "login.wrong": {
    en: "User or password are wrong, or may not log in from here.",
    sv: "Användare eller lösenord är fel, eller får inte logga in härifrån.",
  },
  "login.wrong-or-key": {
    en: "User or password are wrong, or may not log in from here; or the key is not that of the server, which does not tell the one from the other.",
    sv: "Användare eller lösenord är fel, eller får inte logga in härifrån; eller så är nyckeln inte serverns, som inte talar om vilket.",
  },
  "login.unreachable": { en: "The server cannot be reached.", sv: "Servern går inte att nå." },
  "login.status": { en: "The server answers {status}.", sv: "Servern svarar {status}." },
  "login.ended": { en: "Logged out: {reason}", sv: "Utloggad: {reason}" },
  "login.not-ended": { en: "The login has not ended: {reason}", sv: "Inloggningen är inte avslutad: {reason}" },

  // What the server and the connection to it refuse
  "error.key": { en: "The key must be 32 hex digits.", sv: "Nyckeln ska vara 32 hexadecimala siffror." },
  "error.lost": { en: "The connection was lost.", sv: "Förbindelsen bröts." },
  "error.closed": { en: "The connection was closed.", sv: "Förbindelsen stängdes." },
  "error.none": { en: "There is no connection.", sv: "Det finns ingen förbindelse." },
  "error.silent": { en: "The server does not answer.", sv: "Servern svarar inte." },
  "error.ended": { en: "The server has closed the connection: {reason}.", sv: "Servern har stängt förbindelsen: {reason}." },
  "error.why.going away": { en: "it is stopping", sv: "den stoppas" },
  "error.why.logged out": { en: "logged out", sv: "utloggad" },
  "error.why.user changed": { en: "the user has been changed", sv: "användaren har ändrats" },
  "error.why.too many failed logins": { en: "too many failed logins", sv: "för många misslyckade inloggningar" },
  "error.why.too many logins": { en: "too many logins", sv: "för många inloggningar" },
  "error.why.too many clients": { en: "too many clients", sv: "för många klienter" },
  "error.why.no login": { en: "no login", sv: "ingen inloggning" },
  "error.why.no answer to pings": { en: "no answer to its questions", sv: "inget svar på dess frågor" },
  "error.why.slow consumer": { en: "this page is too slow", sv: "den här sidan är för långsam" },
  "error.syntax": { en: "Syntax error.", sv: "Syntaxfel." },
  "error.command": { en: "Unknown command.", sv: "Okänt kommando." },
  "error.full": { en: "The server has too much to do: try again.", sv: "Servern har för mycket att göra: försök igen." },
  "error.authorised": { en: "Not authorised.", sv: "Inte behörig." },
  "error.allowed": { en: "Not allowed to send event.", sv: "Får inte skicka händelsen." },
  "error.privileges": { en: "Not allowed to do that.", sv: "Får inte göra det." },
  "error.parse": { en: "The server does not understand it.", sv: "Servern förstår det inte." },

  // Home
  "home.search": { en: "Search sensors", sv: "Sök givare" },
  "home.search.example": { en: "Search: kitchen, humidity", sv: "Sök: kök, fuktighet" },
  "home.by": { en: "Group by", sv: "Gruppera efter" },
  "home.by.room": { en: "Rooms", sv: "Rum" },
  "home.by.node": { en: "Nodes", sv: "Noder" },
  "home.count": { en: "1 sensor|{count} sensors", sv: "1 givare|{count} givare" },
  "home.ignored": { en: "and 1 more that has no place|and {count} more that have no place", sv: "och 1 till som inte får plats|och {count} till som inte får plats" },
  "home.empty": {
    en: "A card for each sensor comes here with its first measurement.",
    sv: "Här kommer ett kort för varje givare med dess första mätvärde.",
  },
  "home.none": { en: "No sensor matches the search.", sv: "Ingen givare motsvarar sökningen." },

  // A sensor
  "sensor.number": { en: "sensor {number}", sv: "givare {number}" },
  "sensor.zone": { en: "zone {zone}", sv: "zon {zone}" },
  "sensor.unknown": { en: "No value yet", sv: "Inget värde ännu" },
  "sensor.node": { en: "Node", sv: "Nod" },
  "sensor.interval": { en: "A value about every", sv: "Ett värde ungefär var" },

  // Charts
  "chart.label": {
    en: "Chart of {name}. Left and right move the read-out.",
    sv: "Diagram över {name}. Vänster och höger flyttar avläsningen.",
  },
  "chart.range": { en: "Range", sv: "Tidsrymd" },
  "chart.range.live": { en: "Live", sv: "Nu" },
  "chart.range.5m": { en: "5 min", sv: "5 min" },
  "chart.range.1h": { en: "1 h", sv: "1 h" },
  "chart.range.1d": { en: "1 day", sv: "1 dygn" },
  "chart.range.1w": { en: "1 week", sv: "1 vecka" },
  "chart.compare": { en: "Compare with", sv: "Jämför med" },
  "chart.compare.none": { en: "nothing", sv: "inget" },
  "chart.no-history": {
    en: "Older values are there after a login with name and password alone; here they are those that have come since the login.",
    sv: "Äldre värden finns efter en inloggning med bara namn och lösenord; här är de som har kommit sedan inloggningen.",
  },
  "chart.failed": { en: "Older values cannot be read: {reason}", sv: "Äldre värden går inte att läsa: {reason}" },

  // Names
  "name.change": { en: "Rename {name}", sv: "Byt namn på {name}" },
  "name.change.short": { en: "Rename", sv: "Byt namn" },
  "rename.sensor": { en: "Sensor: {name}", sv: "Givare: {name}" },
  "rename.node": { en: "Node: {name}", sv: "Nod: {name}" },
  "rename.name": { en: "Name", sv: "Namn" },
  "rename.room": { en: "Room", sv: "Rum" },
  "rename.decimals": { en: "Decimals", sv: "Decimaler" },
  "rename.hidden": { en: "Hide it from Home", sv: "Dölj i Hem" },
  "rename.save": { en: "Save", sv: "Spara" },
  "rename.cancel": { en: "Cancel", sv: "Avbryt" },
  "rename.failed": { en: "Not saved: {reason}", sv: "Inte sparat: {reason}" },

  // Nodes
  "nodes.search": { en: "Search nodes", sv: "Sök noder" },
  "nodes.as": { en: "Show as", sv: "Visa som" },
  "nodes.as.table": { en: "Table", sv: "Tabell" },
  "nodes.as.map": { en: "Map", sv: "Karta" },
  "nodes.count": { en: "1 node|{count} nodes", sv: "1 nod|{count} noder" },
  "nodes.empty": { en: "No node has sent an event yet.", sv: "Ingen nod har skickat någon händelse ännu." },
  "nodes.none": { en: "No node matches the search.", sv: "Ingen nod motsvarar sökningen." },
  "nodes.no-api": {
    en: "The nodes are there after a login with name and password alone: over TLS, or on the server itself.",
    sv: "Noderna visas efter en inloggning med bara namn och lösenord: över TLS, eller på servern själv.",
  },
  "nodes.name": { en: "Node", sv: "Nod" },
  "nodes.seen": { en: "Last seen", sv: "Sågs senast" },
  "nodes.rate": { en: "Events a minute", sv: "Händelser per minut" },
  "nodes.heartbeat": { en: "Heartbeat", sv: "Livstecken" },
  "nodes.alarms": { en: "Alarms", sv: "Larm" },
  "nodes.from": { en: "Comes from", sv: "Kommer från" },
  "nodes.late": { en: "late, {ago}", sv: "sent, {ago}" },
  "nodes.every": { en: "every {duration}", sv: "var {duration}" },
  "node.unnamed": { en: "Node {tail}", sv: "Nod {tail}" },
  "node.unknown": { en: "This node has sent nothing yet.", sv: "Den här noden har inte skickat något ännu." },
  "node.total": { en: "Events in all", sv: "Händelser totalt" },
  "node.sensors": { en: "Sensors", sv: "Givare" },
  "node.events": { en: "Last events that are no measurements", sv: "Senaste händelser som inte är mätvärden" },
  "node.all-events": { en: "Its events as they come", sv: "Dess händelser när de kommer" },
  "map.driver": { en: "This driver", sv: "Den här drivrutinen" },
  "from.host": { en: "VSCP daemon", sv: "VSCP-demonen" },
  "from.client": { en: "Clients", sv: "Klienter" },

  // System
  "system.version": { en: "Version", sv: "Version" },
  "system.uptime": { en: "Running for", sv: "Har gått i" },
  "system.clients": { en: "Clients", sv: "Klienter" },
  "system.waiting": { en: "Events that wait", sv: "Händelser som väntar" },
  "system.buses": { en: "Buses", sv: "Bussar" },
  "system.up": { en: "up", sv: "uppe" },
  "system.down": { en: "down", sv: "nere" },
  "system.warnings": { en: "Warnings", sv: "Varningar" },
  "system.no-warnings": { en: "No warnings. All is well.", sv: "Inga varningar. Allt är bra." },
  "system.queues": { en: "Queues", sv: "Köer" },
  "system.counters": { en: "Counters", sv: "Räknare" },
  "system.client.user": { en: "User", sv: "Användare" },
  "system.client.protocol": { en: "Protocol", sv: "Protokoll" },
  "system.client.address": { en: "Address", sv: "Adress" },
  "system.nobody": { en: "nobody yet", sv: "ingen ännu" },
  "system.refused": { en: "This page is for users with all rights.", sv: "Den här sidan är för användare med alla rättigheter." },
  "system.failed": { en: "The state cannot be read: {reason}", sv: "Tillståndet går inte att läsa: {reason}" },

  // Settings
  "settings.theme": { en: "Colours", sv: "Färger" },
  "settings.theme.auto": { en: "As the system", sv: "Som systemet" },
  "settings.theme.light": { en: "Light", sv: "Ljust" },
  "settings.theme.dark": { en: "Dark", sv: "Mörkt" },
  "settings.language": { en: "Language", sv: "Språk" },
  "settings.notify": { en: "Tell me of alarms", sv: "Meddela mig om larm" },
  "settings.notify.hint": {
    en: "A notification for each alarm while the panel is open but out of sight.",
    sv: "Ett meddelande för varje larm medan panelen är öppen men inte syns.",
  },
  "settings.notify.insecure": {
    en: "Browsers allow notifications over TLS and on the server itself only.",
    sv: "Webbläsare tillåter meddelanden bara över TLS och på servern själv.",
  },
  "settings.notify.refused": {
    en: "The browser does not allow notifications of this page: its own settings say so.",
    sv: "Webbläsaren tillåter inte meddelanden från sidan: det står i dess egna inställningar.",
  },
  "settings.forget-key": { en: "Forget the key", sv: "Glöm nyckeln" },
  "settings.key-kept": { en: "The key of the server is remembered on this device.", sv: "Serverns nyckel är sparad på den här enheten." },
  "notify.body": { en: "From {node}", sv: "Från {node}" },

  // The phone
  "phone.title": { en: "Open on the phone", sv: "Öppna på telefonen" },
  "phone.hint": { en: "Point the camera of the phone at the code.", sv: "Rikta telefonens kamera mot koden." },
  "phone.local": {
    en: "This address is for this machine only. Put the server's name or address in the network in its place.",
    sv: "Den här adressen gäller bara den här datorn. Skriv serverns namn eller adress i nätverket i stället.",
  },
  "phone.address": { en: "Address", sv: "Adress" },
  "phone.code": { en: "QR code of the address", sv: "QR-kod för adressen" },
  "phone.long": { en: "The address is too long for a code.", sv: "Adressen är för lång för en kod." },
  "phone.close": { en: "Close", sv: "Stäng" },
};

/** @type {string | null} */
let current = null;
/** @type {Set<(language: string) => void>} */
const listeners = new Set();

/**
 * The language of the texts: that of the settings, else the first one of the browser that there is, else English.
 * @returns {string}
 */
export function language() {
  current ??= LANGUAGES.find((one) => one === stored()) ?? ofBrowser() ?? LANGUAGES[0];
  return current;
}

/**
 * Changes the language for this page alone, if there is such a language.
 * @param {string} chosen
 */
export function useLanguage(chosen) {
  current = LANGUAGES.find((one) => one === chosen.slice(0, 2).toLowerCase()) ?? current;
}

/**
 * Changes the language, remembers it on the device, and fills in the texts of the document again.
 * @param {string} chosen
 */
export function setLanguage(chosen) {
  current = LANGUAGES.includes(chosen) ? chosen : LANGUAGES[0];
  try {
    localStorage.setItem(STORAGE, current);
  } catch {
    // Storage is off or full: then it is this page's language only.
  }
  fillTexts();
  listeners.forEach((listener) => listener(language()));
}

/**
 * Calls `listener` after each change of the language: what scripts have written must be written again.
 * @param {(language: string) => void} listener
 */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * The text of a key in the language. A key that there is not is its own text.
 * @param {string} key
 * @param {Record<string, string | number>} [values]  for what stands in braces
 */
export function t(key, values = {}) {
  let text = TEXTS[key]?.[language()] ?? key;
  if ("count" in values && text.includes("|")) {
    const [one, many] = text.split("|");
    text = values.count === 1 ? one : many;
  }
  return text.replace(/\{(\w+)\}/g, (/** @type {string} */ whole, /** @type {string} */ name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(language()) : (value ?? whole);
  });
}

/**
 * Fills in the elements below `root`: `data-text="key"` is for the content, `data-text-placeholder`,
 * `data-text-title` and `data-text-label` (aria-label) for these attributes.
 * @param {Document | Element | undefined} root
 */
export function fillTexts(root = globalThis.document) {
  if (!root) {
    return;
  }
  if (root === document) {
    document.documentElement.lang = language();
  }
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = t(element.getAttribute("data-text") ?? "");
  }
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    for (const element of root.querySelectorAll(`[data-text-${name}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-text-${name}`) ?? ""));
    }
  }
}

const ATTRIBUTES = { label: "aria-label", placeholder: "placeholder", title: "title" };

function stored() {
  try {
    return localStorage.getItem(STORAGE);
  } catch {
    return null;
  }
}

function ofBrowser() {
  const wanted = globalThis.navigator?.languages ?? [];
  return wanted.map((tag) => tag.slice(0, 2)).find((tag) => LANGUAGES.includes(tag));
}
