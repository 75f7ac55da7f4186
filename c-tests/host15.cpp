/*
 * What daemons 15 and later do with a driver: events on the stack, VSCPWrite before VSCPOpen has
 * returned and behind VSCPClose, data that VSCPRead gave are never freed, and an event that was
 * read comes back by VSCPWrite where several daemons share a topic.
 *
 * "event-layout" and "host-max-data" are left to what the library finds in this program, which is
 * compiled three times: with the text of the daemons from 2026 (and VSCP_EVENT_UNIX_NS), with that
 * of the daemons before, and with neither. No check here may show the former by its expression.
 */
#include <atomic>
#include <climits>
#include <thread>

#include "library.h"
#include "process.h"
#include "sample.h"

#if defined(VSCP_EVENT_UNIX_NS)
extern "C" __attribute__((used)) const char daemon_text[] = "{\"timestamp_ns\": 0}";
static constexpr unsigned MOST_DATA = 128;
#elif defined(DAEMON_15_0)
extern "C" __attribute__((used)) const char daemon_text[] = "{\"vscpTimeStamp\": %lu,}";
static constexpr unsigned MOST_DATA = 128;
#else
static constexpr unsigned MOST_DATA = 512;
#endif

static struct driver driver;

static long open_driver(const char *more, int *port)
{
  *port = free_port();
  long handle = driver.open(configuration(*port, more).text, nullptr);
  CHECK_RANGE(handle, 1, LONG_MAX);
  return handle;
}

static void write_sample(long handle, unsigned number)
{
  uint8_t data[40];
  vscpEvent event;
  sample_event(number, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
}

/* Reads sample 0 to 3, and frees what the library has allocated. The data stay until it is read again. */
static vscpEvent read_sample(long handle, unsigned number)
{
  static uint8_t kept[4][40];
  struct {
    vscpEvent event;
    uint8_t behind[16];
  } guarded = {};
  CHECK_NUMBER(driver.read(handle, &guarded.event, DEADLINE), CANAL_ERROR_SUCCESS);
  sample_check_event(number, &guarded.event);
#ifdef VSCP_EVENT_UNIX_NS
  CHECK_NUMBER(guarded.event.head & 0x0300, 0x0100);
  CHECK_NUMBER(guarded.event.year, 0xFFFF);
#else
  CHECK_NUMBER(guarded.event.head & 0x0300, 0);
  CHECK_RANGE(guarded.event.year, 2025, 2200);
  CHECK_RANGE(guarded.event.month, 1, 12);
#endif
  for (uint8_t byte : guarded.behind) CHECK_NUMBER(byte, 0);
  if (guarded.event.pdata) {
    memcpy(kept[number], guarded.event.pdata, guarded.event.sizeData);
    free(guarded.event.pdata);
    guarded.event.pdata = kept[number];
  }
  return guarded.event;
}

static void send_sample(struct client *client, unsigned number)
{
  char text[SAMPLE_TEXT];
  sample_text(number, text);
  client_send(client, text);
  CHECK_TEXT(client_receive(client, DEADLINE), "+;EVENT");
}

static std::atomic<long> shared_handle;
static std::atomic<bool> stop;
static std::atomic<unsigned> writes, reads_given, reads_in_vain;

/* Counts up in the events that it writes. */
static void write_always()
{
  while (!stop) {
    uint8_t data[40];
    vscpEvent event;
    sample_event(writes % 10000, &event, data);
    int result = driver.write(shared_handle, &event, 500);
    if (result != CANAL_ERROR_SUCCESS) CHECK_NUMBER(result, CANAL_ERROR_NOT_OPEN);
    writes++;
    if (writes % 8 == 0) pause_ms(1);
  }
}

static void read_always()
{
  while (!stop) {
    vscpEvent event = {};
    int result = driver.read(shared_handle, &event, 500);
    if (result == CANAL_ERROR_SUCCESS) {
      sample_check_event(20000 + reads_given, &event);
      free(event.pdata);
      reads_given++;
      continue;
    }
    if (result != CANAL_ERROR_TIMEOUT) CHECK_NUMBER(result, CANAL_ERROR_NOT_OPEN);
    reads_in_vain++;
  }
}

static void both_threads_go_on_before_and_behind()
{
  static struct client client;
  int port;
  step("threads before VSCPOpen and behind VSCPClose");
  shared_handle = 0;
  std::thread writer(write_always), reader(read_always);
  WAIT_UNTIL(writes > 20 && reads_in_vain > 1, DEADLINE);
  CHECK_NUMBER(reads_given, 0);

  long handle = open_driver("", &port);
  unsigned at_open = writes;
  WAIT_UNTIL(writes > at_open + 20, DEADLINE); /* still handle 0 */
  shared_handle = handle;
  client_login(&client, port);

  long next = sample_number(client_event(&client, DEADLINE));
  CHECK_RANGE(next, 0, 9999);
  for (unsigned i = 0; i < 100; i++) {
    char text[SAMPLE_TEXT];
    sample_text(20000 + i, text);
    client_send(&client, text);
    next = (next + 1) % 10000;
    sample_check_text((unsigned)next, client_event(&client, DEADLINE));
  }
  WAIT_UNTIL(reads_given == 100, DEADLINE);
  client_close(&client);

  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  unsigned writes_at_close = writes, reads_at_close = reads_in_vain;
  WAIT_UNTIL(writes > writes_at_close + 100 && reads_in_vain > reads_at_close + 1, DEADLINE);
  stop = true;
  writer.join();
  reader.join();
}

/* The daemon sets its own time before it publishes an event. */
static void write_again(long handle, vscpEvent event)
{
  event.year = 0;
  event.month = 0;
  event.head = static_cast<uint16_t>(event.head & ~0x0300);
#ifdef VSCP_EVENT_UNIX_NS
  event.time.date.timestamp = 99;
#else
  event.timestamp = 99;
#endif
  CHECK_NUMBER(driver.write(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
}

static void an_echo_is_delivered_once_less()
{
  static struct client sender, other;
  int port;
  step("echo");
  long handle = open_driver("", &port);
  client_login(&sender, port);
  client_login(&other, port);

  send_sample(&sender, 1);
  sample_check_text(1, client_receive(&other, DEADLINE));
  vscpEvent given = read_sample(handle, 1);
  write_again(handle, given); /* the echo */
  write_sample(handle, 100);
  sample_check_text(100, client_receive(&other, DEADLINE));
  sample_check_text(100, client_receive(&sender, DEADLINE));

  write_again(handle, given); /* no echo any more */
  write_sample(handle, 101);
  sample_check_text(1, client_receive(&other, DEADLINE));
  sample_check_text(101, client_receive(&other, DEADLINE));
  sample_check_text(1, client_receive(&sender, DEADLINE));
  sample_check_text(101, client_receive(&sender, DEADLINE));

  step("two equal events have two echoes");
  for (int i = 0; i < 2; i++) {
    send_sample(&sender, 2);
    sample_check_text(2, client_receive(&other, DEADLINE));
    given = read_sample(handle, 2);
  }
  write_again(handle, given);
  write_again(handle, given);
  write_again(handle, given);
  write_sample(handle, 102);
  sample_check_text(2, client_receive(&other, DEADLINE));
  sample_check_text(102, client_receive(&other, DEADLINE));
  sample_check_text(2, client_receive(&sender, DEADLINE));
  sample_check_text(102, client_receive(&sender, DEADLINE));

  step("what differs is no echo");
  send_sample(&sender, 3);
  sample_check_text(3, client_receive(&other, DEADLINE));
  given = read_sample(handle, 3);
  vscpEvent changed = given;
  changed.vscp_type = 4;
  write_again(handle, changed);
  CHECK_NUMBER(sample_number(client_receive(&other, DEADLINE)), 4);
  CHECK_NUMBER(sample_number(client_receive(&sender, DEADLINE)), 4);

  client_close(&sender);
  client_close(&other);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
}

static void without_the_filter_an_echo_is_delivered()
{
  static struct client sender, other;
  int port;
  step("echo-filter off");
  long handle = open_driver(",\"echo-filter\":false", &port);
  client_login(&sender, port);
  client_login(&other, port);
  send_sample(&sender, 1);
  sample_check_text(1, client_receive(&other, DEADLINE));
  write_again(handle, read_sample(handle, 1));
  sample_check_text(1, client_receive(&other, DEADLINE));
  sample_check_text(1, client_receive(&sender, DEADLINE));
  client_close(&sender);
  client_close(&other);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
}

static const char *send_data(struct client *client, unsigned size)
{
  char text[4096];
  int length = sprintf(text, "E;0,20,3,,,,-");
  for (unsigned i = 0; i < size; i++) length += sprintf(text + length, ",%u", i & 0xFF);
  client_send(client, text);
  return client_receive(client, DEADLINE);
}

/* An event that the daemon's buffer does not hold is refused, and the host does not see it. */
static void check_most_data(const char *more, unsigned most)
{
  static struct client client;
  int port;
  long handle = open_driver(more, &port);
  client_login(&client, port);
  CHECK_PREFIX(send_data(&client, most + 1), "-;EVENT;8;");
  CHECK_TEXT(send_data(&client, most), "+;EVENT");
  vscpEvent event = {};
  CHECK_NUMBER(driver.read(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(event.sizeData, most);
  free(event.pdata);
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
}

static void too_much_data_is_refused()
{
  step("host-max-data");
  check_most_data("", MOST_DATA);
  check_most_data(",\"host-max-data\":64", 64);
  check_most_data(",\"host-max-data\":512", 512);
}

int main(int argc, char **argv)
{
  driver = driver_load(library_path(argc, argv));
  both_threads_go_on_before_and_behind();
  an_echo_is_delivered_once_less();
  without_the_filter_an_echo_is_delivered();
  too_much_data_is_refused();
  driver_unload(&driver);
  return 0;
}
