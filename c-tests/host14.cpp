/*
 * What daemon 14 does with a driver: a reader and a writer thread on one handle with a timeout of
 * 500 ms, events that come straight from the heap, delete[] for the data that VSCPRead gave, an
 * event that was not accepted stays at the head of the queue, and VSCPClose while the reader is
 * still inside VSCPRead.
 */
#include <atomic>
#include <climits>
#include <deque>
#include <mutex>
#include <thread>

#include "library.h"
#include "process.h"
#include "sample.h"

static constexpr unsigned EVENTS = 1000;
static constexpr unsigned FIRST_OF_CLIENT = 30000; /* its events are no echo of the host's */

static struct driver driver;
static long handle;
static std::atomic<bool> quit;

class Queue {
public:
  void push(vscpEvent *event)
  {
    std::lock_guard<std::mutex> lock(mutex);
    events.push_back(event);
  }

  vscpEvent *front()
  {
    std::lock_guard<std::mutex> lock(mutex);
    return events.empty() ? nullptr : events.front();
  }

  void pop()
  {
    std::lock_guard<std::mutex> lock(mutex);
    events.pop_front();
  }

  size_t size()
  {
    std::lock_guard<std::mutex> lock(mutex);
    return events.size();
  }

private:
  std::mutex mutex;
  std::deque<vscpEvent *> events;
};

static Queue to_driver, from_driver;

static vscpEvent *new_event()
{
  vscpEvent *event = new vscpEvent;
  memset(static_cast<void *>(event), 0xA5, sizeof *event);
  return event;
}

static void delete_event(vscpEvent *event)
{
  delete[] event->pdata;
  delete event;
}

static std::atomic<int> reader_thread, errors_after_close;

static void read_until_quit()
{
  reader_thread = thread_id();
  while (!quit) {
    vscpEvent *event = new_event();
    int result = driver.read(handle, event, 500);
    if (result == CANAL_ERROR_SUCCESS) {
      from_driver.push(event);
      continue;
    }
    delete event;
    if (result == CANAL_ERROR_NOT_OPEN)
      errors_after_close++;
    else
      CHECK_NUMBER(result, CANAL_ERROR_TIMEOUT);
  }
}

static void write_until_quit()
{
  while (!quit) {
    vscpEvent *event = to_driver.front();
    if (!event) {
      pause_ms(1);
      continue;
    }
    if (driver.write(handle, event, 500) != CANAL_ERROR_SUCCESS) continue; /* again */
    to_driver.pop();
    delete_event(event);
  }
}

static void send_all(struct client *client)
{
  for (unsigned i = 0; i < EVENTS; i++) {
    char text[SAMPLE_TEXT];
    sample_text(FIRST_OF_CLIENT + i, text);
    client_send(client, text);
  }
}

int main(int argc, char **argv)
{
  static struct client client;
  driver = driver_load(library_path(argc, argv));
  int port = free_port();
  handle = driver.open(configuration(port, LAYOUT).text, nullptr);
  CHECK_RANGE(handle, 1, LONG_MAX);
  std::thread reader(read_until_quit), writer(write_until_quit);
  client_login(&client, port);

  step("events in both directions");
  std::thread sender(send_all, &client);
  for (unsigned i = 0; i < EVENTS; i++) {
    vscpEvent *event = new_event();
    uint8_t *data = new uint8_t[40];
    sample_event(i, event, data);
    if (!event->pdata) delete[] data;
    to_driver.push(event);
  }
  for (unsigned i = 0; i < EVENTS; i++) sample_check_text(i, client_event(&client, DEADLINE));
  sender.join();
  WAIT_UNTIL(from_driver.size() == EVENTS, DEADLINE);
  WAIT_UNTIL(to_driver.size() == 0, DEADLINE);
  for (unsigned i = 0; i < EVENTS; i++) {
    sample_check_event(FIRST_OF_CLIENT + i, from_driver.front());
    delete_event(from_driver.front());
    from_driver.pop();
  }
  client_close(&client);

  step("VSCPClose during VSCPRead");
  WAIT_UNTIL(thread_sleeps(reader_thread), DEADLINE);
  CHECK_NUMBER(errors_after_close, 0);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  WAIT_UNTIL(errors_after_close > 0, 400); /* less than the timeout of VSCPRead */
  int errors = errors_after_close;
  WAIT_UNTIL(errors_after_close > errors, DEADLINE);

  /* What the writer has now is never accepted, and never lost. */
  vscpEvent *last = new_event();
  sample_event(1, last, new uint8_t[40]);
  to_driver.push(last);
  long start = now_ms();
  errors = errors_after_close;
  WAIT_UNTIL(errors_after_close >= errors + 4, DEADLINE);
  CHECK_RANGE(now_ms() - start, 100, LONG_MAX); /* the reader does not spin */
  quit = true;
  reader.join();
  writer.join();
  CHECK_NUMBER(to_driver.size(), 1);
  delete_event(to_driver.front());
  driver_unload(&driver);
  return 0;
}
