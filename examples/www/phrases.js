// What events mean, in English and Swedish: maintained by hand, after the VSCP specification
// (https://docs.vscp.org/spec, classes of level I and II).

/**
 * Class to its short name. Classes 512 to 1023 have that of the level I class that they carry.
 */
export const CLASS_WORDS = {
  0: "Protocol|Protokoll",
  1: "Alarm|Larm",
  2: "Security|Säkerhet",
  10: "Measurement|Mätvärde",
  11: "Measurement|Mätvärde",
  12: "Measurement|Mätvärde",
  13: "Measurement|Mätvärde",
  14: "Measurement|Mätvärde",
  15: "Data|Data",
  20: "Information|Information",
  30: "Control|Styrning",
  40: "Multimedia|Multimedia",
  50: "Computer alert|Datorlarm",
  60: "Measurement|Mätvärde",
  61: "Measurement|Mätvärde",
  62: "Measurement|Mätvärde",
  63: "Measurement|Mätvärde",
  64: "Measurement|Mätvärde",
  65: "Measurement|Mätvärde",
  66: "Measurement|Mätvärde",
  67: "Measurement|Mätvärde",
  68: "Measurement|Mätvärde",
  69: "Measurement|Mätvärde",
  70: "Measurement|Mätvärde",
  71: "Measurement|Mätvärde",
  72: "Measurement|Mätvärde",
  73: "Measurement|Mätvärde",
  74: "Measurement|Mätvärde",
  85: "Set value|Börvärde",
  86: "Set value|Börvärde",
  87: "Set value|Börvärde",
  88: "Set value|Börvärde",
  89: "Set value|Börvärde",
  90: "Weather|Väder",
  95: "Forecast|Prognos",
  100: "Phone|Telefon",
  102: "Display|Display",
  110: "Remote|Fjärrkontroll",
  120: "Setup|Inställning",
  206: "Position|Position",
  212: "Wireless|Trådlöst",
  506: "Diagnostic|Diagnos",
  508: "Error|Fel",
  509: "Log|Logg",
  510: "Laboratory|Laboratorium",
  511: "Local|Lokalt",
  1024: "Protocol II|Protokoll II",
  1025: "Control II|Styrning II",
  1026: "Information II|Information II",
  1027: "Speech|Tal",
  1028: "Object|Objekt",
  1029: "Custom|Eget",
  1030: "Display II|Display II",
  1034: "Security II|Säkerhet II",
  1040: "Measurement|Mätvärde",
  1060: "Measurement|Mätvärde",
  65535: "Daemon|Demon",
};

/**
 * Class to its types, one a line: type | English | Swedish | what the data bytes hold. The line `*` is
 * what they hold where a type does not say it. `{name}` in a text stands for the field of that name.
 *
 * The fields, from the first byte on, with alternatives (chosen by their length) behind `/`:
 * `i` index, `u` a byte of the sender's own, `-` reserved, `z` zone, `s` subzone, `name=form`. In front
 * of a field, `~` means that it is worth a line among all fields only. A form is a number of bytes or
 * one of fields.js; `name` with an underscore for each space is in LABELS below.
 */
export const PHRASES = {
  0: `
0|General protocol event|Allmän protokollhändelse|data=hex
1|Heartbeat of the segment controller|Livstecken från segmentkontrollern|~crc=1 time=unix
2|New node online|Ny nod ansluten|address=1/address=2/guid=guid
3|Answer to a probe|Svar på sondering|
6|Set nickname|Sätt kortadress|old=1 new=1/old=2 new=2
7|Nickname accepted|Kortadress godtagen|
8|Drop nickname or reset device|Släpp kortadress eller starta om enhet|node=1/node=1 flags=1 wait=1/node=2 flags=1 wait=1
9|Read register|Läs register|node=1 register=1/node=2 register=1/node=guid register=1
10|Answer of a register|Svar från register|register=1 value=1
11|Write register|Skriv register|node=1 register=1 value=1/node=2 register=1 value=1/node=guid register=1 value=1
12|Enter boot loader|Starta bootladdaren|node=1 algorithm=1 ~data=hex
13|Boot loader is ready|Bootladdaren är redo|block_size=4 blocks=4
14|Boot loader refused|Bootladdaren nekade|error=1
15|Start of block|Start av block|block=4 memory=1 bank=1
16|Block data|Blockdata|data=hex
17|Block received|Block mottaget|~crc=2 block=4
18|Block refused|Block nekat|error=1 block=4
19|Program block|Programmera block|block=4
20|Block programmed|Block programmerat|block=4
21|Block not programmed|Block inte programmerat|error=1 block=4
22|Activate new image|Aktivera ny programvara|~crc=2
23|Reset device by GUID|Starta om enhet med GUID|part=1 data=hex
24|Read page|Läs sida|node=1 index=1 count=1/node=2 index=1 count=1
25|Write page|Skriv sida|node=1 register=1 data=hex
26|Answer of a page|Svar från sida|sequence=1 data=hex
27|Which servers are there?|Vilka servrar finns?|
28|A server answers|En server svarar|~capabilities=2 address=ip port=2
29|Increment register|Öka register|node=1 register=1/node=2 register=1
30|Decrement register|Minska register|node=1 register=1/node=2 register=1
31|Who is there?|Vem är där?|node=1/node=2
32|I am here|Jag är här|part=1 data=hex
33|Ask for the decision matrix|Fråga efter beslutsmatris|node=1/node=guid
34|Decision matrix|Beslutsmatris|rows=1 register=1 page=2
35|Ask for the description|Fråga efter beskrivning|node=1
36|Description|Beskrivning|part=2 data=hex
37|Read register of a page|Läs register på sida|node=1 page=2 register=1/node=1 page=2 register=1 count=1/node=2 page=2 register=1 count=1
38|Write register of a page|Skriv register på sida|node=1 page=2 register=1 value=hex
39|Answer of a page's register|Svar från register på sida|part=1 page=2 register=1 value=hex
40|Ask for events of interest|Fråga efter händelser av intresse|node=1/node=2/node=guid
41|Events of interest|Händelser av intresse|part=1 class=2 type=2
48|New image accepted|Ny programvara godtagen|
49|New image refused|Ny programvara nekad|
50|Start of block accepted|Start av block godtagen|
51|Start of block refused|Start av block nekad|
52|Part of block accepted|Del av block godtagen|
53|Part of block refused|Del av block nekad|
54|Is it in the boot loader?|Är den i bootladdaren?|
55|Leave boot loader|Lämna bootladdaren|
56|Leaving boot loader|Lämnar bootladdaren|
57|Boot loader cannot be left|Bootladdaren kan inte lämnas|`,
  1: `
*|||on=onOff z s
0|General alarm event|Allmän larmhändelse|data=hex
1|Warning {on}|Varning {on}
2|Alarm|Larm|code=1 z s
3|Alarm sound {on}|Larmljud {on}
4|Alarm light {on}|Larmljus {on}
5|Power {on}|Ström {on}
6|Emergency stop {on}|Nödstopp {on}
7|Emergency pause {on}|Nödpaus {on}
8|Emergency reset {on}|Nödåterställning {on}
9|Emergency resume {on}|Nödåterstart {on}
10|Alarm system armed|Larmet tillkopplat|~on=onOff z s
11|Alarm system disarmed|Larmet frånkopplat|~on=onOff z s
12|Watchdog triggered|Vakthund utlöst|i z s
13|Alarm reset|Larm återställt|code=1 z s`,
  2: `
*|||u z s
0|General security event|Allmän säkerhetshändelse|data=hex
1|Motion detected|Rörelse upptäckt|u z s status=status
2|Glass broken|Glaskross
3|Light beam broken|Ljusstråle bruten
4|Sensor tampered with|Sabotage mot givare
5|Shock detected|Stöt upptäckt
6|Smoke detected|Rök upptäckt
7|Heat detected|Hetta upptäckt
8|Panic button pressed|Överfallsknapp tryckt
9|Door open|Dörr öppen
10|Window open|Fönster öppet
11|Carbon monoxide detected|Kolmonoxid upptäckt
12|Frost detected|Frost upptäckt
13|Flame detected|Låga upptäckt
14|Oxygen low|Låg syrehalt
15|Weight detected|Tyngd upptäckt
16|Water detected|Vatten upptäckt
17|Condensation detected|Kondens upptäckt
18|Sound detected|Ljud upptäckt
19|Harmful sound level|Skadlig ljudnivå
20|Tampering detected|Sabotage upptäckt
21|Authenticated|Identifierad
22|Not authenticated|Inte identifierad
23|Authorized|Behörig
24|Not authorized|Obehörig
25|Identity check|Identitetskontroll|check=identity z s
26|PIN right|Rätt PIN
27|PIN wrong|Fel PIN
28|PIN warning|PIN-varning
29|PIN error|PIN-fel
30|Password right|Rätt lösenord
31|Password wrong|Fel lösenord
32|Password warning|Lösenordsvarning
33|Password error|Lösenordsfel
34|Gas detected|Gas upptäckt
35|In motion|I rörelse
36|Not in motion|Inte i rörelse
37|Vibration detected|Vibration upptäckt`,
  10: `
0|Value|Värde
1|Count|Antal
2|Distance|Avstånd
3|Weight|Vikt
4|Time|Tid
5|Current|Ström
6|Temperature|Temperatur
7|Amount of substance|Substansmängd
8|Light intensity|Ljusstyrka
9|Frequency|Frekvens
10|Radioactivity|Radioaktivitet
11|Force|Kraft
12|Pressure|Tryck
13|Energy|Energi
14|Power|Effekt
15|Electric charge|Elektrisk laddning
16|Voltage|Spänning
17|Capacitance|Kapacitans
18|Resistance|Resistans
19|Conductance|Konduktans
20|Magnetic field strength|Magnetisk fältstyrka
21|Magnetic flux|Magnetiskt flöde
22|Magnetic flux density|Magnetisk flödestäthet
23|Inductance|Induktans
24|Luminous flux|Ljusflöde
25|Light|Ljus
26|Absorbed radiation dose|Absorberad stråldos
27|Catalytic activity|Katalytisk aktivitet
28|Volume|Volym
29|Sound intensity|Ljudintensitet
30|Direction|Riktning
31|Position|Position
32|Speed|Hastighet
33|Acceleration|Acceleration
34|Tension|Spänning (mekanisk)
35|Humidity|Fuktighet
36|Flow|Flöde
37|Thermal resistance|Värmemotstånd
38|Refractive power|Brytkraft
39|Dynamic viscosity|Dynamisk viskositet
40|Sound impedance|Ljudimpedans
41|Sound resistance|Ljudresistans
42|Electric elastance|Elektrisk elastans
43|Luminous energy|Ljusenergi
44|Luminance|Luminans
45|Air quality|Luftkvalitet
46|Concentration|Halt
49|Dew point|Daggpunkt
50|Level|Nivå
51|Altitude|Höjd
52|Area|Yta
53|Radiant intensity|Strålningsintensitet
54|Radiance|Radians
55|Irradiance|Irradians
56|Spectral radiance|Spektral radians
57|Spectral irradiance|Spektral irradians
58|Sound pressure|Ljudtryck
59|Sound energy density|Ljudenergitäthet
60|Sound level|Ljudnivå
61|Equivalent radiation dose|Ekvivalent stråldos
62|Radiation exposure|Exponering för strålning
63|Power factor|Effektfaktor
64|Reactive power|Reaktiv effekt
65|Reactive energy|Reaktiv energi`,
  15: `
0|Data|Data|data=hex
1|Digital input or output|Digital in- eller utgång
2|Analog input|Analog ingång
3|Analog output|Analog utgång
4|Relative strength|Relativ styrka
5|Signal level|Signalnivå
6|Signal quality|Signalkvalitet`,
  20: `
*|||i z s
0|General information|Allmän information|data=hex
1|Button|Knapp|state=button z s button=2 code_page=2
2|Mouse|Mus|mode=mouse z s x=2 y=2
3|On|På
4|Off|Av
5|Alive|Vid liv
6|Terminating|Avslutar
7|Opened|Öppnad
8|Closed|Stängd
9|Heartbeat of {node}|Livstecken från {node}|~i ~z ~s
10|Below limit|Under gräns
11|Above limit|Över gräns
12|Pulse|Puls
13|Error|Fel
14|Resumed|Återupptagen
15|Paused|Pausad
16|Sleeping|Sover
17|Good morning|God morgon
18|Good day|God dag
19|Good afternoon|God eftermiddag
20|Good evening|God kväll
21|Good night|God natt
22|See you soon|Vi ses snart
23|Goodbye|Hej då
24|Stopped|Stoppad
25|Started|Startad
26|Reset completed|Omstart klar
27|Interrupted|Avbruten
28|Preparing to sleep|Förbereder vila
29|Woken up|Vaken
30|Dusk|Skymning
31|Dawn|Gryning
32|Active|Aktiv
33|Inactive|Inaktiv
34|Busy|Upptagen
35|Idle|Ledig
36|Stream data|Dataström|sequence=1 data=hex
37|Token|Bricka|token=token1 z s part=1 data=hex
38|Stream data with zone|Dataström med zon|z s sequence=1 data=hex
39|Confirmed|Bekräftat|z s sequence=1 class=2 type=2
40|Level changed|Nivå ändrad|level=1 z s
41|Warning|Varning
42|State changed|Tillstånd ändrat|i z s from=1 to=1
43|Action triggered|Åtgärd utlöst|action=1 z s
44|Sunrise|Soluppgång
45|Sunset|Solnedgång
46|Start of record|Start av post|record=1 z s frames=1
47|End of record|Slut på post|record=1 z s
48|Preset active|Förval aktivt|i z s preset=1
49|Detected|Upptäckt
50|Overflow|Överspill
51|Level changed|Nivå ändrad|i z s level=int
52|Civil dawn|Borgerlig gryning
53|Civil dusk|Borgerlig skymning
54|Nautical dawn|Nautisk gryning
55|Nautical dusk|Nautisk skymning
56|Astronomical dawn|Astronomisk gryning
57|Astronomical dusk|Astronomisk skymning
58|Solar noon|Middagshöjd
59|Shutter moving up|Jalusi på väg upp
60|Shutter moving down|Jalusi på väg ner
61|Shutter moving left|Jalusi på väg åt vänster
62|Shutter moving right|Jalusi på väg åt höger
63|Shutter at top|Jalusi i övre läge
64|Shutter at bottom|Jalusi i nedre läge
65|Shutter in the middle|Jalusi i mittläge
66|Shutter at preset|Jalusi i förvalt läge
67|Shutter at left preset|Jalusi i vänster läge
68|Shutter at right preset|Jalusi i höger läge
69|Long click|Långt klick
70|Click|Klick
71|Double click|Dubbelklick
72|Date|Datum|i z s date=date
73|Time|Tid|i z s time=dayTime
74|Weekday|Veckodag|i z s day=weekday
75|Locked|Låst
76|Unlocked|Olåst
77|Date and time|Datum och tid|i z s time=dateTime
78|Rising edge|Stigande flank
79|Falling edge|Fallande flank
80|Updated|Uppdaterad
81|Connected|Ansluten
82|Disconnected|Frånkopplad
83|Reconnected|Återansluten
84|Entered|Inne
85|Left|Ute
86|Incremented|Ökad|i z s to=uint
87|Decremented|Minskad|i z s to=uint
88|Proximity detected|Närhet upptäckt|i z s level=2`,
  30: `
*|||i z s
0|General control event|Allmän styrhändelse|data=hex
1|Mute {on}|Ljudlöst {on}|on=onOff z s
2|All lamps {on}|Alla lampor {on}|on=onOff z s
3|Open|Öppna
4|Close|Stäng
5|Turn on|Slå på
6|Turn off|Slå av
7|Start|Starta
8|Stop|Stoppa
9|Reset|Återställ
10|Interrupt|Avbryt|level=1 z s
11|Sleep|Vila
12|Wake up|Vakna
13|Resume|Återuppta
14|Pause|Pausa
15|Activate|Aktivera
16|Deactivate|Avaktivera
17|Turn all devices off|Slå av alla enheter
18|Turn all devices on|Slå på alla enheter
19|Turn all devices {on}|Slå {on} alla enheter|i z s on=onOff
20|Dim {value}|Dimma {value}|value=dim z s
21|Change channel|Byt kanal|channel=step z s ~extended=hex
22|Set level|Sätt nivå|level=1 z s
23|Change level|Ändra nivå|level=1 z s
24|Ask for values|Begär värden|i z s
25|Stream data|Dataström|sequence=1 data=hex
26|Synchronize|Synkronisera
27|Stream data with zone|Dataström med zon|sequence=1 z s data=hex
28|Set preset|Sätt förval|preset=1 z s
29|Toggle|Växla
30|Pulse on|Puls på|i z s pulse=pulse
31|Pulse off|Puls av|i z s pulse=pulse
32|Set language|Sätt språk|~coding=1 z s code=text
33|Change level|Ändra nivå|i z s level=int
34|Move up|Upp
35|Move down|Ner
36|Move left|Åt vänster
37|Move right|Åt höger
38|Move to the middle|Till mittläge
39|Move to position|Till läge|i z s position=percent
40|All lamps on|Alla lampor på
41|All lamps off|Alla lampor av
42|Lock|Lås
43|Unlock|Lås upp
44|Set pulse width|Sätt pulsbredd|repeat=1 z s width=pulseWidth
45|Lock with token|Lås med bricka|i z s ~token=hex
46|Unlock with token|Lås upp med bricka|i z s ~token=hex
47|Set security level|Sätt säkerhetsnivå|level=1 z s
48|Set PIN|Sätt PIN|i z s ~pin=hex
49|Set password|Sätt lösenord|i z s ~password=hex
50|Set token|Sätt bricka|i z s ~token=hex
51|Ask for a new token|Begär ny bricka
52|Increment|Öka|i z s by=uint
53|Decrement|Minska|i z s by=uint`,
  40: `
*|||level=step z s ~extended=hex
0|General multimedia event|Allmän mediehändelse|data=hex
1|Playback|Uppspelning|function=playback z s
2|Navigation key|Navigeringsknapp|key=key z s
3|Contrast|Kontrast
4|Focus|Fokus
5|Tint|Färgton
6|Color balance|Färgbalans|- z s
7|Brightness|Ljusstyrka
8|Hue|Kulör
9|Bass|Bas
10|Treble|Diskant
11|Volume|Volym
12|Front volume|Volym fram
13|Center volume|Volym mitten
14|Rear volume|Volym bak
15|Side volume|Volym sida
20|Select disk|Välj skiva
21|Select track|Välj spår
22|Select album|Välj album
23|Select channel|Välj kanal
24|Select page|Välj sida
25|Select chapter|Välj kapitel
26|Screen format|Bildformat|format=screen z s
27|Select input|Välj ingång|input=source z s
28|Select output|Välj utgång|output=source z s
29|Recording|Inspelning|function=record z s
30|Recording volume|Inspelningsvolym
40|TiVo function|TiVo-funktion|function=tivo z s
50|Ask for the title|Fråga efter titel|- z s
51|Go to position|Gå till position|- z s milliseconds=uint
52|Ask for media information|Fråga efter medieinformation|kind=mediaList z s
53|Remove from album|Ta bort ur album|item=1 z s ~extended=hex
54|Remove all from album|Töm album|- z s
55|Save album|Spara album|overwrite=onOff z s
60|Media information|Medieinformation|kind=media z s part=1 text=text
61|Answer to media information|Svar på medieinformation|data=hex`,
  50: `
*|||record=1 z s
0|General computer alert|Allmänt datorlarm|data=hex
1|Power unplugged|Strömmen bortkopplad
2|Network unplugged|Nätverket bortkopplat
3|Case opened|Chassit öppnat
4|Processor removed|Processor borttagen
5|Environmental error|Miljöfel
6|High temperature|Hög temperatur
7|Fan speed problem|Fläktproblem
8|Voltage fluctuations|Spänningsvariationer
9|Operating system error|Fel i operativsystemet
10|Error at power-on|Fel vid start
11|System hangs|Systemet har hängt sig
12|Component failed|Komponentfel
13|Reboot after a critical failure|Omstart efter kritiskt fel
14|Repair operating system|Reparera operativsystemet
15|Update BIOS|Uppdatera BIOS
16|Run diagnostics|Kör diagnostik`,
  90: `
*|||i z s
0|General weather event|Allmän väderhändelse|data=hex
1|Winter|Vinter
2|Spring|Vår
3|Summer|Sommar
4|Autumn|Höst
5|No wind|Vindstilla
6|Light wind|Svag vind
7|Medium wind|Måttlig vind
8|Strong wind|Stark vind
9|Very strong wind|Mycket stark vind
10|Fog|Dimma
11|Freezing air|Minusgrader
12|Very cold air|Mycket kall luft
13|Cold air|Kall luft
14|Normal air|Normal luft
15|Hot air|Varm luft
16|Very hot air|Mycket varm luft
17|Little pollution|Låg luftförorening
18|Medium pollution|Måttlig luftförorening
19|Much pollution|Hög luftförorening
20|Humid air|Fuktig luft
21|Dry air|Torr luft
22|Humid soil|Fuktig jord
23|Dry soil|Torr jord
24|No rain|Inget regn
25|Light rain|Lätt regn
26|Heavy rain|Kraftigt regn
27|Very heavy rain|Mycket kraftigt regn
28|No sun|Ingen sol
29|Some sun|Lite sol
30|Much sun|Mycket sol
31|No snow|Ingen snö
32|Light snow|Lätt snöfall
33|Heavy snow|Kraftigt snöfall
34|Dew point|Daggpunkt
35|Storm|Storm
36|Flood|Översvämning
37|Earthquake|Jordbävning
38|Nuclear disaster|Kärnkraftsolycka
39|Fire|Brand
40|Lightning|Blixt
41|Low UV radiation|Låg UV-strålning
42|Medium UV radiation|Måttlig UV-strålning
43|Normal UV radiation|Normal UV-strålning
44|High UV radiation|Hög UV-strålning
45|Very high UV radiation|Mycket hög UV-strålning
46|Weather warning, level 1|Vädervarning, nivå 1
47|Weather warning, level 2|Vädervarning, nivå 2
48|Weather warning, level 3|Vädervarning, nivå 3
49|Weather warning, level 4|Vädervarning, nivå 4
50|Weather warning, level 5|Vädervarning, nivå 5
51|Armageddon|Harmagedon
52|UV index|UV-index|i z s index=1`,
  100: `
*|||call=1
0|General phone event|Allmän telefonhändelse|data=hex
1|Incoming call|Inkommande samtal|call=1 part=1 ~parts=1 text=text
2|Outgoing call|Utgående samtal|call=1 part=1 ~parts=1 text=text
3|Phone rings|Telefonen ringer
4|Call answered|Samtal besvarat|call=1 z s
5|Call ended|Samtal avslutat
6|Caller gave up|Uppringaren lade på
7|Call transferred|Samtal kopplat vidare
8|Caller information|Om uppringaren|call=1 part=1 ~parts=1 text=text`,
  102: `
*|||i z s
0|General display event|Allmän displayhändelse|data=hex
1|Clear display|Töm display|- z s
2|Move cursor|Flytta markör|i z s row=1 column=1
3|Write on display|Skriv på display|part=1 z s text=text
4|Write to display buffer|Skriv i displaybuffert|part=1 z s text=text
5|Show display buffer|Visa displaybuffert
6|Set display parameter|Sätt displayparameter|parameter=1 coding=1 value=hex
32|Show text|Visa text|part=1 z s text=text
48|Set lamp|Sätt lampa|i z s state=lamp on_for=milliseconds off_for=milliseconds
49|Set color|Sätt färg|i z s color=color`,
  110: `
0|General remote event|Allmän fjärrhändelse|data=hex
1|RC5 key|RC5-knapp|key=1 address=1 repeat=1
3|Sony key|Sony-knapp|key=1 address=1 repeat=1
32|LIRC key|LIRC-knapp|key=bytes7 repeat=1
48|Remote key|Knapp på fjärrkontroll|key=2 z s repeat=1
49|MAPito key|MAPito-knapp|repeat=1 z s address=4 key=1`,
  120: `
*|||i z s configuration=2 control=1
0|General setup event|Allmän inställningshändelse|data=hex
1|Load configuration|Läs in konfiguration
2|Configuration loaded|Konfiguration inläst|configuration=2
3|Configuration not loaded|Konfiguration inte inläst|configuration=2
4|Save configuration|Spara konfiguration
5|Configuration saved|Konfiguration sparad|configuration=2
6|Configuration not saved|Konfiguration inte sparad|configuration=2
7|Commit configuration|Fastställ konfiguration
8|Configuration committed|Konfiguration fastställd|configuration=2
9|Configuration not committed|Konfiguration inte fastställd|configuration=2
10|Reload configuration|Läs om konfiguration
11|Configuration reloaded|Konfiguration omläst|configuration=2
12|Configuration not reloaded|Konfiguration inte omläst|configuration=2
13|Restore configuration|Återställ konfiguration
14|Configuration restored|Konfiguration återställd|configuration=2
15|Configuration not restored|Konfiguration inte återställd|configuration=2
30|Set parameter|Sätt parameter|i z s parameter=2 value=2
31|Set parameter to default|Sätt parameter till standard|i z s parameter=2
32|Parameter set|Parameter satt|parameter=2 value=2
33|Parameter not set|Parameter inte satt|parameter=2 value=2`,
  206: `
0|General position event|Allmän positionshändelse|data=hex
1|Position|Position|latitude=degrees longitude=degrees
2|Satellites|Satelliter|count=1`,
  212: `
0|General wireless event|Allmän trådlös händelse|data=hex
1|GSM cell|GSM-cell|cell=4`,
  506: `
*|||i z s ~data=hex
0|General diagnostic event|Allmän diagnoshändelse
1|Voltage too high|För hög spänning
2|Voltage too low|För låg spänning
3|USB voltage low|Låg USB-spänning
4|Battery low|Lågt batteri
5|Battery full|Fullt batteri
6|Battery error|Batterifel
7|Battery OK|Batteriet OK
8|Current too high|För hög ström
9|Circuit error|Kretsfel
10|Short circuit|Kortslutning
11|Open circuit|Bruten krets
12|Moisture|Fukt
13|Wire failure|Ledningsfel
14|Wireless failure|Fel i trådlöst
15|Infrared failure|Fel i infrarött
16|1-Wire failure|Fel i 1-Wire
17|RS-222 failure|Fel i RS-222
18|RS-232 failure|Fel i RS-232
19|RS-423 failure|Fel i RS-423
20|RS-485 failure|Fel i RS-485
21|CAN failure|Fel i CAN
22|LAN failure|Fel i LAN
23|USB failure|Fel i USB
24|Wi-Fi failure|Fel i wifi
25|NFC or RFID failure|Fel i NFC eller RFID
26|Signal too low|För svag signal
27|Signal too high|För stark signal
28|ADC failure|Fel i A/D-omvandlare
29|ALU failure|Fel i ALU
30|Assertion failed|Programkontroll slog till
31|DAC failure|Fel i D/A-omvandlare
32|DMA failure|Fel i DMA
33|Ethernet failure|Fel i Ethernet
34|Exception|Undantag
35|FPU failure|Fel i FPU
36|GPIO failure|Fel i GPIO
37|I²C failure|Fel i I²C
38|I²S failure|Fel i I²S
39|Invalid configuration|Ogiltig konfiguration
40|MMU failure|Fel i MMU
41|NMI failure|Fel med NMI
42|Overheated|Överhettad
43|PLL failure|Fel i PLL
44|POR failure|Fel i POR
45|PWM failure|Fel i PWM
46|RAM failure|Fel i RAM
47|ROM failure|Fel i ROM
48|SPI failure|Fel i SPI
49|Stack failure|Stackfel
50|LIN failure|Fel i LIN
51|UART failure|Fel i UART
52|Unhandled interrupt|Ohanterat avbrott
53|Memory failure|Minnesfel
54|Variable out of range|Variabel utanför gräns
55|Watchdog failure|Fel med vakthund
56|EEPROM failure|Fel i EEPROM
57|Encryption failed|Kryptering misslyckades
58|Bad user input|Felaktig inmatning
59|Decryption failed|Dekryptering misslyckades
60|Noise|Störningar
61|Boot loader failure|Fel i bootladdaren
62|Program flow failure|Fel i programflödet
63|Clock failure|Fel i klockan
64|System test failed|Systemtest misslyckades
65|Sensor failure|Givarfel
66|Safe state entered|I säkert läge
67|Signal implausible|Orimlig signal
68|Storage failure|Lagringsfel
69|Self-test OK|Självtest OK
70|Electromagnetic disturbance|Elektromagnetisk störning
71|Timeout|Tiden gick ut
72|Display failure|Displayfel
73|Touch panel failure|Fel i pekskärm
74|No load|Ingen last
75|Cooling failure|Kylfel
76|Heating failure|Värmefel
77|Transmission failure|Sändningsfel
78|Reception failure|Mottagningsfel
79|External circuit failure|Fel i extern krets
80|Charging|Laddar
81|Charging ended|Laddning avslutad`,
  508: `
*|||i z s ~data=hex
0|Success|Lyckades
1|Error|Fel
7|Channel error|Kanalfel
8|Queue is empty|Kön är tom
9|Queue is full|Kön är full
10|Queue size error|Fel köstorlek
11|Queue wait error|Fel vid väntan på kö
12|Generic error|Allmänt fel
13|Hardware error|Maskinvarufel
14|Initialization failed|Initiering misslyckades
15|Initialization missing|Initiering saknas
16|Initialization ready|Initiering klar
17|Not supported|Stöds inte
18|Overrun|Överskridning
19|Receiver is empty|Mottagaren är tom
20|Register error|Registerfel
21|Transmitter is full|Sändaren är full
28|Library error|Biblioteksfel
29|Procedure not found|Procedur saknas
30|Only one instance allowed|Bara en instans tillåten
31|Sub-driver error|Fel i underdrivrutin
32|Timeout|Tiden gick ut
33|Not open|Inte öppen
34|Parameter error|Parameterfel
35|Out of memory|Minnet är slut
36|Internal error|Internt fel
37|Communication error|Kommunikationsfel
38|Wrong user|Fel användare
39|Wrong password|Fel lösenord
40|Connection error|Anslutningsfel
41|Invalid handle|Ogiltigt handtag
42|Operation failed|Åtgärden misslyckades
43|Buffer too small|För liten buffert
44|Unknown item|Okänt objekt
45|Name already in use|Namnet används redan
46|Data not written|Data inte skrivna
47|Operation aborted|Åtgärden avbruten
48|Invalid pointer|Ogiltig pekare`,
  509: `
0|General log event|Allmän logghändelse|data=hex
1|Log message|Loggmeddelande|~log=1 level=logLevel ~part=1 text=text
2|Logging started|Loggning startad|log=1
3|Logging stopped|Loggning stoppad|log=1
4|Set log level|Sätt loggnivå|level=logLevel`,
  510: `
0|Laboratory event|Laboratoriehändelse|data=hex`,
  511: `
0|Local event|Lokal händelse|data=hex`,
  1024: `
0|General protocol event|Allmän protokollhändelse|data=hex
1|Read register|Läs register|node=guid register=4 count=2
2|Write register|Skriv register|node=guid register=4 value=hex
3|Answer of a register|Svar från register|register=4 value=hex
20|Server capabilities|Serverns förmågor|~capabilities=bytes8 ~data=hex
32|I am here|Jag är här|guid=guid description=text
34|Decision matrix|Beslutsmatris|node=guid row_size=1 rows=1 register=4
36|Description|Beskrivning|part=2 parts=2 data=hex
41|Events of interest|Händelser av intresse|data=hex
43|Read register|Läs register|register=4 count=2
44|Write register|Skriv register|register=4 value=hex`,
  1025: `
0|General control event|Allmän styrhändelse|data=hex`,
  1026: `
0|General information|Allmän information|data=hex
1|Token|Bricka|event=tokenEvent z s kind=tokenKind ~reserved=4 data=hex
2|Heartbeat of {node}|Livstecken från {node}|name=text
3|Heartbeat of {node}|Livstecken från {node}|node=guid ~reserved=bytes16 interface=guid ~data=hex
4|Channel announced|Kanal annonserad|channel=2`,
  1027: `
0|General speech event|Allmän talhändelse|data=hex
1|Say|Säg|zone=2 subzone=2 volume=percent ~reserved=bytes4 text=text`,
  1028: `
0|Object|Objekt|text=text
1|Object command|Objektkommando|node=guid ~coding=1 text=text
2|Object answer|Objektsvar|node=guid ~coding=1 text=text`,
  1029: `
0|Custom event|Egen händelse|data=hex`,
  1030: `
0|Display event|Displayhändelse|data=hex`,
  1034: `
0|General security event|Allmän säkerhetshändelse|data=hex
1|Set key|Sätt nyckel|~key=hex`,
  65535: `
*|||driver=guid
0|Daemon event|Demonhändelse
1|Loop|Slinga
3|Daemon paused|Demonen pausad
4|Daemon active|Demonen aktiv
5|Daemon starts|Demonen startar
6|Daemon shuts down|Demonen avslutas
7|Driver start|Starta drivrutin
8|Driver stop|Stoppa drivrutin
9|Driver pause|Pausa drivrutin
10|Driver resume|Återuppta drivrutin
11|Driver restart|Starta om drivrutin
12|Driver setup|Ställ in drivrutin|driver=guid path=text`,
};

/** The names of the fields in Swedish; in English they are as they stand in the phrases. */
export const LABELS = {
  action: "åtgärd",
  address: "adress",
  algorithm: "algoritm",
  bank: "bank",
  block: "block",
  block_size: "blockstorlek",
  blocks: "block",
  button: "knapp",
  by: "med",
  call: "samtal",
  capabilities: "förmågor",
  cell: "cell",
  channel: "kanal",
  check: "kontroll",
  class: "klass",
  code: "kod",
  code_page: "kodsida",
  coding: "kodning",
  color: "färg",
  column: "kolumn",
  configuration: "konfiguration",
  control: "styrbyte",
  count: "antal",
  crc: "CRC",
  data: "data",
  date: "datum",
  day: "dag",
  description: "beskrivning",
  driver: "drivrutin",
  error: "fel",
  event: "händelse",
  extended: "utökat",
  flags: "flaggor",
  format: "format",
  frames: "delar",
  from: "från",
  function: "funktion",
  guid: "GUID",
  index: "index",
  input: "ingång",
  interface: "gränssnitt",
  item: "objekt",
  key: "knapp",
  kind: "slag",
  latitude: "latitud",
  level: "nivå",
  log: "logg",
  longitude: "longitud",
  memory: "minne",
  milliseconds: "millisekunder",
  mode: "läge",
  name: "namn",
  new: "ny",
  node: "nod",
  off_for: "av i",
  old: "gammal",
  on: "på",
  on_for: "på i",
  output: "utgång",
  overwrite: "skriv över",
  page: "sida",
  parameter: "parameter",
  part: "del",
  parts: "delar",
  password: "lösenord",
  path: "sökväg",
  pin: "PIN",
  port: "port",
  position: "läge",
  preset: "förval",
  pulse: "puls",
  record: "post",
  register: "register",
  repeat: "upprepning",
  reserved: "reserverat",
  row: "rad",
  row_size: "radstorlek",
  rows: "rader",
  sensor: "givare",
  sequence: "följd",
  state: "tillstånd",
  status: "status",
  subzone: "delzon",
  text: "text",
  time: "tid",
  to: "till",
  token: "bricka",
  type: "typ",
  unit: "enhet",
  user: "egen byte",
  value: "värde",
  volume: "volym",
  wait: "väntan",
  width: "pulsbredd",
  x: "x",
  y: "y",
  zone: "zon",
};

/** Words inside the fields: English, Swedish. */
export const VALUES = {
  off: ["off", "av"],
  on: ["on", "på"],
  all: ["all", "alla"],
  allZones: ["all zones", "alla zoner"],
  allSubzones: ["all subzones", "alla delzoner"],
  to: ["to", "till"],
  stepUp: ["one step up", "ett steg upp"],
  stepDown: ["one step down", "ett steg ner"],
  up: ["up", "upp"],
  down: ["down", "ner"],
  setTo: ["Set", "Ställ in"],
  sensor: ["sensor", "givare"],
  unit: ["unit", "enhet"],
  activated: ["activated", "aktiverad"],
  inactivated: ["deactivated", "avaktiverad"],
  authenticated: ["authenticated", "identifierad"],
  notAuthenticated: ["not authenticated", "inte identifierad"],
  quote: ["“", "”"],
  authorized: ["authorized", "behörig"],
  notAuthorized: ["not authorized", "obehörig"],
};

/** Forms that are a choice of one byte, `code=English/Swedish` each. */
export const CHOICES = {
  button: "0=released/släppt 1=pressed/tryckt 2=clicked/klickad",
  mouse: "0=absolute/absolut 1=relative/relativ",
  coding: "0=bits/bitar 1=bytes/byte 2=text 3=integer/heltal 4=scaled_integer/skalat_heltal 5=single_precision/enkel_precision 6=double_precision/dubbel_precision 7=reserved/reserverat",
  weekday: "0=Monday/måndag 1=Tuesday/tisdag 2=Wednesday/onsdag 3=Thursday/torsdag 4=Friday/fredag 5=Saturday/lördag 6=Sunday/söndag",
  playback:
    "0=stop/stopp 1=pause/paus 2=play/spela 3=forward/framåt 4=rewind/bakåt 5=fast_forward/snabbt_framåt 6=fast_rewind/snabbt_bakåt 7=next_track/nästa_spår 30=previous_track/föregående_spår 31=toggle_repeat/växla_upprepning 32=repeat_on/upprepning_på 33=repeat_off/upprepning_av 34=toggle_shuffle/växla_blandning 35=shuffle_on/blandning_på 36=shuffle_off/blandning_av 37=fade_in_and_play/tona_in_och_spela 38=fade_out_and_stop/tona_ut_och_stoppa",
  screen: "0=automatic/automatiskt 1=justified/anpassat 2=normal/normalt 3=zoom/zoom",
  source:
    "0=automatic/automatiskt 1=CD 2=AUX 3=DVD 4=satellite/satellit 5=video_recorder/videobandspelare 6=tape/band 7=phone/telefon 8=tuner 9=FM 10=AM 11=radio 16=component/komponent 17=VGA 18=S-Video 19=video_1 20=video_2 21=video_3 22=satellite_1/satellit_1 23=satellite_2/satellit_2 24=satellite_3/satellit_3 25=MP3 26=MPEG 30=HDMI_1 32=HDMI_2",
  tivo: "1=box_office/filmuthyrning 2=services/tjänster 3=program_guide/programguide 4=text/text-TV 5=information 6=help/hjälp 7=backup/säkerhetskopia 20=red_key/röd_knapp 21=yellow_key/gul_knapp 22=green_key/grön_knapp 23=blue_key/blå_knapp 24=white_key/vit_knapp 25=black_key/svart_knapp",
  mediaList: "1=folders/mappar 2=disks/skivor 3=tracks/spår 4=albums/album 5=channels/kanaler 6=pages/sidor 7=chapters/kapitel",
  media:
    "0=title/titel 1=set_title/ny_titel 2=folder/mapp 3=set_folder/ny_mapp 4=artist 5=year/år 6=genre 7=album 8=comment/kommentar 9=track/spår 10=picture/bild 11=sample_rate/samplingsfrekvens 12=bit_rate/bithastighet 13=channels/kanaler 14=size/storlek 15=time/tid 16=MPEG_version/MPEG-version 17=MPEG_layer/MPEG-lager 18=frequency/frekvens 19=channel_mode/kanalläge 20=CRC 21=copyright/upphovsrätt 22=original 23=emphasis/betoning 24=position/läge 25=length/längd 26=version 27=album 28=play_file/spela_fil 29=add_file/lägg_till_fil 30=current_folder/aktuell_mapp 31=folder_content/mappens_innehåll 32=go_to_folder/gå_till_mapp 33=ask_for_folder_content/fråga_efter_mappens_innehåll 34=ask_for_albums/fråga_efter_album 35=ask_by_filter/fråga_med_filter 36=disks/skivor 37=folders/mappar 38=tracks/spår 39=albums/album 40=channels/kanaler 41=pages/sidor 42=chapters/kapitel 43=new_album/nytt_album",
  record: "0=start/starta 1=stop/stoppa 2=gain_control_off/nivåreglering_av 3=gain_control_on/nivåreglering_på",
  lamp: "0=off/av 1=on/på 2=blinking/blinkar",
  logLevel:
    "0=emergency/nödläge 1=alert/larm 2=critical/kritiskt 3=error/fel 4=warning/varning 5=notice/notis 6=information 7=debug/felsökning",
  tokenEvent: "0=touched_and_released/visad 1=touched/vidrörd 2=released/släppt",
  tokenKind:
    "0=unknown/okänd 1=iButton 2=RFID 3=RFID 4=RFID 9=ID_card/ID-kort 16=biometric/biometrisk 17=biometric/biometrisk 18=Bluetooth 19=IMEI 20=IMSI 21=RFID 22=RFID 23=RFID 24=RFID 25=RFID",
};
