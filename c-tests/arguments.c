/* Wrong arguments, wrong handles, and how long the calls take. */
#include <limits.h>

#include "library.h"
#include "process.h"
#include "sample.h"

static struct driver driver;

static long open_driver(const char *more, int *port)
{
  *port = free_port();
  long handle = driver.open(configuration(*port, more).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  return handle;
}

static void version_and_vendor_are_told(void)
{
  unsigned major, minor, release;
  step("version and vendor");
  CHECK_NUMBER(sscanf(DRIVER_VERSION, "%u.%u.%u", &major, &minor, &release), 3);
  CHECK_NUMBER(driver.version() & ~0xFFUL, major << 24 | minor << 16 | release << 8);

  const char *vendor = driver.vendor();
  CHECK(vendor != NULL);
  CHECK_RANGE(strlen(vendor), 1, 256);
  CHECK(driver.vendor() == vendor);
}

/* Arrays in arrays: deeper than the stack of any thread. */
static const char *nested_configuration(void)
{
  static char text[200000];
  memcpy(text, "{\"a\":", 5);
  memset(text + 5, '[', sizeof text - 6);
  return text;
}

static void what_cannot_be_opened_gives_0_and_leaves_nothing_behind(void)
{
  static const uint8_t guid[16] = {0};
  int port;
  step("VSCPOpen that fails");
  int taken = listen_on_free_port(&port);
  long threads_before = threads(), files_before = files();

  CHECK_NUMBER(driver.open(NULL, guid), 0);
  CHECK_NUMBER(driver.open(NULL, NULL), 0);
  CHECK_NUMBER(driver.open("", guid), 0);
  CHECK_NUMBER(driver.open("", NULL), 0);
  CHECK_NUMBER(driver.open("/nonexistent/websocksrv.json", guid), 0);
  CHECK_NUMBER(driver.open("/", guid), 0);
  CHECK_NUMBER(driver.open("{", guid), 0);
  CHECK_NUMBER(driver.open("{\"\xFF\xFE\":1}", guid), 0);
  CHECK_NUMBER(driver.open(nested_configuration(), guid), 0);
  CHECK_NUMBER(driver.open("{\"interface\":\"ws://127.0.0.1:0\"}", guid), 0); /* no key */
  CHECK_NUMBER(driver.open(configuration(free_port(), ",\"max-clients\":\"many\"").text, guid), 0);
  CHECK_NUMBER(driver.open(configuration(port, LAYOUT).text, guid), 0);

  CHECK_NUMBER(files(), files_before);
  WAIT_UNTIL(threads() == threads_before, 2000);
  close(taken);
}

static void the_configuration_is_text_or_a_file(void)
{
  static const char path[] = "websocksrv.json";
  struct client client;
  int port = free_port();
  step("VSCPOpen with a file");
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  CHECK(fputs(configuration(port, LAYOUT).text, file) >= 0);
  CHECK_NUMBER(fclose(file), 0);
  long handle = driver.open(path, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  client_login(&client, port);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(unlink(path), 0);
}

/* The GUID that events of clients without one get. */
static void check_driver_guid(const char *more, const uint8_t *guid, const uint8_t *expected)
{
  struct client client;
  vscpEvent event;
  int port = free_port();
  long handle = driver.open(configuration(port, more).text, guid);
  CHECK_RANGE(handle, 1, LONG_MAX);
  client_login(&client, port);
  client_send(&client, "E;0,10,6,,,,-");
  CHECK_NUMBER(driver.read(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  for (int i = 0; i < 16; i++) CHECK_NUMBER(event.GUID[i], expected[i]);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
}

static void the_guid_may_be_given_zero_or_null(void)
{
  static const char more[] =
      LAYOUT ",\"guid\":\"FF:EE:DD:CC:BB:AA:99:88:77:66:55:44:33:22:11:01\"";
  static const uint8_t configured[16] = {0xFF, 0xEE, 0xDD, 0xCC, 0xBB, 0xAA, 0x99, 0x88,
                                         0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x01};
  static const uint8_t given[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  static const uint8_t zeros[16] = {0};
  step("GUID of the driver");
  check_driver_guid(more, NULL, configured);
  check_driver_guid(more, zeros, configured);
  check_driver_guid(LAYOUT, given, given);
  check_driver_guid(more, given, given);
}

static void what_is_no_event_is_a_parameter_error(void)
{
  uint8_t data[513] = {0};
  int port;
  vscpEvent event;
  long handle = open_driver(LAYOUT, &port);
  step("events that cannot be");

  CHECK_NUMBER(driver.write(handle, NULL, 0), CANAL_ERROR_PARAMETER);
  CHECK_NUMBER(driver.write(handle, NULL, 100), CANAL_ERROR_PARAMETER);
  CHECK_NUMBER(driver.read(handle, NULL, 0), CANAL_ERROR_PARAMETER);
  CHECK_NUMBER(driver.read(handle, NULL, 100), CANAL_ERROR_PARAMETER);

  sample_event(0, &event, data);
  event.pdata = data;
  event.sizeData = 513;
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_PARAMETER);
  event.sizeData = 0xFFFF;
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_PARAMETER);
  event.sizeData = 512;
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_SUCCESS);
  event.pdata = NULL;
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_PARAMETER);
  event.sizeData = 1;
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_PARAMETER);
  event.sizeData = 0;
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_SUCCESS);
  event.pdata = (uint8_t *)8; /* not looked at */
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_SUCCESS);

  step("events that nobody wants");
  for (unsigned i = 0; i < 2000; i++) {
    sample_event(i, &event, data);
    CHECK_NUMBER(driver.write(handle, &event, i % 2 ? 0 : DEADLINE), CANAL_ERROR_SUCCESS);
  }
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
}

static void check_bad_handle(long handle)
{
  uint8_t data[40];
  vscpEvent event;
  sample_event(7, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_NOT_OPEN);
  CHECK_NUMBER(driver.write(handle, &event, 0), CANAL_ERROR_NOT_OPEN);
  CHECK(driver.write(handle, NULL, 10) != CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(driver.read(handle, &event, 1), CANAL_ERROR_NOT_OPEN);
  CHECK(driver.read(handle, NULL, 1) != CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_NOT_OPEN);
}

static void bad_handles_are_not_open(void)
{
  int port;
  step("bad handles");
  static const long never[] = {0, -1, LONG_MAX / 2 + 1, LONG_MAX, LONG_MIN, GARBAGE};
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) check_bad_handle(never[i]);

  long handle = open_driver(LAYOUT, &port);
  for (size_t bit = 0; bit < CHAR_BIT * sizeof handle; bit++)
    check_bad_handle((long)((unsigned long)handle ^ 1UL << bit));
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  check_bad_handle(handle);
}

static void handles_are_never_used_again(void)
{
  enum { COUNT = 20 };
  long handles[COUNT];
  int port;
  step("handles");
  for (int i = 0; i < COUNT; i++) {
    handles[i] = open_driver(LAYOUT, &port);
    for (int j = 0; j < i; j++) {
      CHECK(handles[i] != handles[j]);
      CHECK_NUMBER(driver.close(handles[j]), CANAL_ERROR_NOT_OPEN);
    }
    if (i > 0) check_bad_handle(handles[i - 1]);
    CHECK_NUMBER(driver.close(handles[i]), CANAL_ERROR_SUCCESS);
  }
}

/* The shortest of some calls of VSCPRead in ms: the machine may be busy. */
static long read_time(long handle, unsigned long timeout, int expected)
{
  long shortest = LONG_MAX;
  vscpEvent event;
  for (int i = 0; i < 3; i++) {
    long start = now_ms();
    CHECK_NUMBER(driver.read(handle, &event, timeout), expected);
    long elapsed = now_ms() - start;
    if (elapsed < shortest) shortest = elapsed;
  }
  return shortest;
}

static void a_read_in_vain_takes_its_time(void)
{
  int port;
  long handle = open_driver(LAYOUT, &port);
  step("VSCPRead with nothing to read");
  CHECK_RANGE(read_time(handle, 1, CANAL_ERROR_TIMEOUT), 0, patient(30));
  CHECK_RANGE(read_time(handle, 100, CANAL_ERROR_TIMEOUT), 99, 100 + patient(50));
  CHECK_RANGE(read_time(handle, 300, CANAL_ERROR_TIMEOUT), 299, 300 + patient(50));
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);

  step("VSCPRead of a bad handle");
  const long bad[] = {handle, 0, -1, LONG_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_RANGE(read_time(bad[i], 500, CANAL_ERROR_NOT_OPEN), 49, 50 + patient(40));
    CHECK_RANGE(read_time(bad[i], 20, CANAL_ERROR_NOT_OPEN), 19, 20 + patient(20));
    CHECK_RANGE(read_time(bad[i], 0, CANAL_ERROR_NOT_OPEN), 0, 50 + patient(40));
    CHECK_RANGE(read_time(bad[i], ULONG_MAX, CANAL_ERROR_NOT_OPEN), 49, 50 + patient(40));
  }
}

static void the_longest_timeout_does_not_overflow(void)
{
  struct client client;
  char text[SAMPLE_TEXT];
  uint8_t data[40];
  vscpEvent event;
  int port;
  long handle = open_driver(LAYOUT, &port);
  step("longest timeout");
  client_login(&client, port);
  sample_event(1, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, ULONG_MAX), CANAL_ERROR_SUCCESS);
  sample_check_text(1, client_event(&client, DEADLINE));
  sample_text(2, text);
  client_send(&client, text);
  CHECK_NUMBER(driver.read(handle, &event, ULONG_MAX), CANAL_ERROR_SUCCESS);
  sample_check_event(2, &event);
  free(event.pdata);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
}

int main(int argc, char **argv)
{
  driver = driver_load(library_path(argc, argv));
  version_and_vendor_are_told();
  what_cannot_be_opened_gives_0_and_leaves_nothing_behind();
  the_configuration_is_text_or_a_file();
  the_guid_may_be_given_zero_or_null();
  what_is_no_event_is_a_parameter_error();
  bad_handles_are_not_open();
  handles_are_never_used_again();
  a_read_in_vain_takes_its_time();
  the_longest_timeout_does_not_overflow();
  driver_unload(&driver);
  return 0;
}
