/*
 * Both event layouts: the offsets of the header, and each field on its way through the library in
 * both directions. Compiled as C and as C++, with and without VSCP_EVENT_UNIX_NS.
 */
#include <limits.h>
#include <stddef.h>

#include "client.h"
#include "library.h"

#define OFFSET(type, field, expected) CHECK_NUMBER(offsetof(type, field), expected)

#define GUID_TEXT "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"

/* 2025-11-05T18:39:43.123456789Z, in ns, in s, and the low 32 bits of the microseconds. */
#define MOMENT_NS 1762367983123456789ULL
#define MOMENT_S 1762367983ULL
#define MOMENT_US 1167653888U

/* An event for VSCPRead, and what lies behind it. */
struct guarded {
  vscpEvent event;
  uint8_t behind[64];
};

static struct driver driver;
static long handle;
static struct client client;

static void offsets_are_those_of_the_daemons(void)
{
  step("offsets");
#if UINTPTR_MAX > UINT32_MAX /* the documented offsets are those of 64-bit machines */
  CHECK_NUMBER(sizeof(vscpEventClassic), 56);
  OFFSET(vscpEventClassic, crc, 0);
  OFFSET(vscpEventClassic, obid, 4);
  OFFSET(vscpEventClassic, year, 8);
  OFFSET(vscpEventClassic, month, 10);
  OFFSET(vscpEventClassic, day, 11);
  OFFSET(vscpEventClassic, hour, 12);
  OFFSET(vscpEventClassic, minute, 13);
  OFFSET(vscpEventClassic, second, 14);
  OFFSET(vscpEventClassic, timestamp, 16);
  OFFSET(vscpEventClassic, head, 20);
  OFFSET(vscpEventClassic, vscp_class, 22);
  OFFSET(vscpEventClassic, vscp_type, 24);
  OFFSET(vscpEventClassic, GUID, 26);
  OFFSET(vscpEventClassic, sizeData, 42);
  OFFSET(vscpEventClassic, pdata, 48);

  CHECK_NUMBER(sizeof(vscpEventUnixNs), 64);
  OFFSET(vscpEventUnixNs, head, 0);
  OFFSET(vscpEventUnixNs, obid, 4);
  OFFSET(vscpEventUnixNs, year, 8);
  OFFSET(vscpEventUnixNs, month, 10);
  OFFSET(vscpEventUnixNs, time.date.day, 16);
  OFFSET(vscpEventUnixNs, time.date.hour, 17);
  OFFSET(vscpEventUnixNs, time.date.minute, 18);
  OFFSET(vscpEventUnixNs, time.date.second, 19);
  OFFSET(vscpEventUnixNs, time.date.timestamp, 20);
  OFFSET(vscpEventUnixNs, time.timestamp_ns, 16);
  OFFSET(vscpEventUnixNs, vscp_class, 24);
  OFFSET(vscpEventUnixNs, vscp_type, 26);
  OFFSET(vscpEventUnixNs, GUID, 28);
  OFFSET(vscpEventUnixNs, sizeData, 44);
  OFFSET(vscpEventUnixNs, pdata, 48);
  OFFSET(vscpEventUnixNs, crc, 56);
#endif

#ifdef VSCP_EVENT_UNIX_NS
  CHECK_NUMBER(sizeof(vscpEvent), sizeof(vscpEventUnixNs));
#else
  CHECK_NUMBER(sizeof(vscpEvent), sizeof(vscpEventClassic));
#endif
}

/* An event with a value of its own in each field but the time; garbage in crc and in the gaps. */
static vscpEvent distinct_event(uint8_t *data, uint16_t size)
{
  vscpEvent event;
  memset(&event, 0x5A, sizeof event);
  event.crc = 0xDEAD;
  event.head = 0x8068;
  event.obid = 0x05060708;
  event.vscp_class = 0x0102;
  event.vscp_type = 0x0304;
  event.sizeData = size;
  event.pdata = size ? data : NULL;
  for (int i = 0; i < 16; i++) event.GUID[i] = (uint8_t)(0x10 + i);
  return event;
}

static void set_date(vscpEvent *event)
{
  event->year = 2025;
  event->month = 11;
#ifdef VSCP_EVENT_UNIX_NS
  event->time.date.day = 5;
  event->time.date.hour = 18;
  event->time.date.minute = 39;
  event->time.date.second = 43;
  event->time.date.timestamp = 0x12345678;
#else
  event->day = 5;
  event->hour = 18;
  event->minute = 39;
  event->second = 43;
  event->timestamp = 0x12345678;
#endif
}

static void set_second(vscpEvent *event, uint8_t second)
{
#ifdef VSCP_EVENT_UNIX_NS
  event->time.date.second = second;
#else
  event->second = second;
#endif
}

static void a_written_event_reaches_a_client_with_all_fields(void)
{
  uint8_t data[512] = {0xA0, 0x0F, 0xC2};
  char longest[4096];
  step("VSCPWrite");

  vscpEvent event = distinct_event(data, 3);
  set_date(&event);
  CHECK_NUMBER(driver.write(handle, &event, 500), CANAL_ERROR_SUCCESS);
  memset(&event, 0xFF, sizeof event); /* the library has copied it */
  memset(data, 0xEE, sizeof data);
  CHECK_TEXT(client_receive(&client, DEADLINE),
             "E;32872,258,772,84281096,2025-11-05T18:39:43Z,305419896," GUID_TEXT
             ",0xA0,0x0F,0xC2");

  event = distinct_event(NULL, 0);
  set_date(&event);
  CHECK_NUMBER(driver.write(handle, &event, 500), CANAL_ERROR_SUCCESS);
  CHECK_TEXT(client_receive(&client, DEADLINE),
             "E;32872,258,772,84281096,2025-11-05T18:39:43Z,305419896," GUID_TEXT);

  event = distinct_event(data, 512);
  set_date(&event);
  CHECK_NUMBER(driver.write(handle, &event, 500), CANAL_ERROR_SUCCESS);
  int length = snprintf(longest, sizeof longest, "%s",
                        "E;32872,258,772,84281096,2025-11-05T18:39:43Z,305419896," GUID_TEXT);
  for (int i = 0; i < 512; i++) length += sprintf(longest + length, ",0xEE");
  CHECK_TEXT(client_receive(&client, DEADLINE), longest);

  step("VSCPWrite, a leap second");
  event = distinct_event(data, 0);
  set_date(&event);
  set_second(&event, 60);
  CHECK_NUMBER(driver.write(handle, &event, 500), CANAL_ERROR_SUCCESS);
  CHECK_TEXT(client_receive(&client, DEADLINE),
             "E;32872,258,772,84281096,2025-11-05T18:39:59Z,305419896," GUID_TEXT);

#ifdef VSCP_EVENT_UNIX_NS
  step("VSCPWrite, frame version 1");
  event = distinct_event(data, 1);
  event.head |= 0x0100;
  event.year = 0xFFFF;
  event.month = 0xFF;
  event.time.timestamp_ns = MOMENT_NS;
  CHECK_NUMBER(driver.write(handle, &event, 500), CANAL_ERROR_SUCCESS);
  snprintf(longest, sizeof longest, "E;32872,258,772,84281096,2025-11-05T18:39:43Z,%u,%s,0xEE",
           MOMENT_US, GUID_TEXT);
  CHECK_TEXT(client_receive(&client, DEADLINE), longest);

  step("VSCPWrite, nanoseconds whose time stamp is 0");
  event = distinct_event(data, 0);
  event.head |= 0x0100;
  event.time.timestamp_ns = 4294967296000ULL;
  CHECK_NUMBER(driver.write(handle, &event, 500), CANAL_ERROR_SUCCESS);
  CHECK_TEXT(client_receive(&client, DEADLINE),
             "E;32872,258,772,84281096,1970-01-01T01:11:34Z,0," GUID_TEXT);
#endif
}

/* Sends an event as text, and reads it into memory that was never set. */
static void send_and_read(struct client *sender, const char *text, struct guarded *guarded)
{
  memset(guarded, 0xA5, sizeof *guarded);
  client_send(sender, text);
  CHECK_TEXT(client_reply(sender, DEADLINE), "+;EVENT");
  CHECK_NUMBER(driver.read(handle, &guarded->event, DEADLINE), CANAL_ERROR_SUCCESS);
  for (size_t i = 0; i < sizeof guarded->behind; i++) CHECK_NUMBER(guarded->behind[i], 0xA5);
}

static void check_fields(const vscpEvent *event, unsigned size)
{
  CHECK_NUMBER(event->crc, 0);
  CHECK_NUMBER(event->vscp_class, 0x0102);
  CHECK_NUMBER(event->vscp_type, 0x0304);
  for (int i = 0; i < 16; i++) CHECK_NUMBER(event->GUID[i], 0x10 + i);
  CHECK_NUMBER(event->sizeData, size);
  CHECK((event->pdata == NULL) == (size == 0));
  CHECK(event->obid != 0xA5A5A5A5);
}

/* `timestamp` is that of a classic event, `ns` that of a unix-ns event; 0: to the second only. */
static void check_time(const vscpEvent *event, uint32_t timestamp, uint64_t ns)
{
#ifdef VSCP_EVENT_UNIX_NS
  (void)timestamp;
  CHECK_NUMBER(event->head, 0x8168);
  CHECK_NUMBER(event->year, 0xFFFF);
  CHECK_NUMBER(event->month, 0xFF);
  CHECK_NUMBER(event->time.timestamp_ns / 1000000000, MOMENT_S);
  if (ns) CHECK_NUMBER(event->time.timestamp_ns, ns);
#else
  (void)ns;
  CHECK_NUMBER(event->head, 0x8068);
  CHECK_NUMBER(event->year, 2025);
  CHECK_NUMBER(event->month, 11);
  CHECK_NUMBER(event->day, 5);
  CHECK_NUMBER(event->hour, 18);
  CHECK_NUMBER(event->minute, 39);
  CHECK_NUMBER(event->second, 43);
  CHECK_NUMBER(event->timestamp, timestamp);
#endif
}

static void an_event_of_a_client_is_read_with_all_fields(int port)
{
  static struct client other;
  struct guarded read;
  char longest[4096];
  step("VSCPRead");

  send_and_read(&client,
                "E;32872,258,772,7,2025-11-05T18:39:43Z,305419896," GUID_TEXT ",160,15,194", &read);
  check_fields(&read.event, 3);
  check_time(&read.event, 305419896, 0);
  CHECK_NUMBER(read.event.pdata[0], 160);
  CHECK_NUMBER(read.event.pdata[1], 15);
  CHECK_NUMBER(read.event.pdata[2], 194);
  free(read.event.pdata);
  uint32_t obid = read.event.obid;

  send_and_read(&client, "E;32872,258,772,,2025-11-05T18:39:43Z,1," GUID_TEXT, &read);
  check_fields(&read.event, 0);
  check_time(&read.event, 1, 0);
  CHECK_NUMBER(read.event.obid, obid);

  int length = sprintf(longest, "E;32872,258,772,,2025-11-05T18:39:43Z,1," GUID_TEXT);
  for (int i = 0; i < 512; i++) length += sprintf(longest + length, ",%d", i * 5 & 0xFF);
  send_and_read(&client, longest, &read);
  check_fields(&read.event, 512);
  for (int i = 0; i < 512; i++) CHECK_NUMBER(read.event.pdata[i], i * 5 & 0xFF);
  free(read.event.pdata);

  step("VSCPRead, a time stamp in nanoseconds");
  snprintf(longest, sizeof longest, "E;32872,258,772,,,%llu,%s,1", MOMENT_NS, GUID_TEXT);
  send_and_read(&client, longest, &read);
  check_fields(&read.event, 1);
  check_time(&read.event, MOMENT_US, MOMENT_NS);
  free(read.event.pdata);

  step("VSCPRead, a frame version that is not 1");
  send_and_read(&client, "E;33384,258,772,,2025-11-05T18:39:43Z,1," GUID_TEXT, &read);
#ifdef VSCP_EVENT_UNIX_NS
  CHECK_NUMBER(read.event.head, 0x8168);
#else
  CHECK_NUMBER(read.event.head, 0x8268);
#endif

  step("VSCPRead, dates that nanoseconds cannot hold");
  static const char *const dates[] = {"1969-12-31T23:59:59Z", "2554-07-21T23:34:34Z"};
  for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
    snprintf(longest, sizeof longest, "E;32872,258,772,,%s,1,%s", dates[i], GUID_TEXT);
#ifdef VSCP_EVENT_UNIX_NS
    client_send(&client, longest);
    CHECK_PREFIX(client_receive(&client, DEADLINE), "-;EVENT;8;");
#else
    send_and_read(&client, longest, &read);
    CHECK_NUMBER(read.event.year, i == 0 ? 1969 : 2554);
#endif
  }

  step("VSCPRead, from another client");
  client_login(&other, port);
  send_and_read(&other, "E;32872,258,772,7,2025-11-05T18:39:43Z,1," GUID_TEXT, &read);
  check_fields(&read.event, 0);
  CHECK(read.event.obid != obid);
  client_close(&other);
}

int main(int argc, char **argv)
{
  offsets_are_those_of_the_daemons();

  driver = driver_load(library_path(argc, argv));
  int port = free_port();
  /* This program holds text of a daemon, which would make the limit a smaller one. */
  handle = driver.open(configuration(port, LAYOUT ",\"host-max-data\":512").text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  client_login(&client, port);
  a_written_event_reaches_a_client_with_all_fields();
  an_event_of_a_client_is_read_with_all_fields(port);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  driver_unload(&driver);
  return 0;
}
