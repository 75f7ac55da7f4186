/*
 * A small host: loads the driver as a daemon does, writes a temperature once a second and shows
 * what clients send. Ctrl-C ends it.
 *
 *   c++ -std=c++17 -Wall -Wextra -I include -o host examples/host.cpp -pthread -ldl
 *   ./host ./libvscpl2drv-websocksrv.so /etc/vscp/websocksrv.json
 *
 * This program uses the classic event layout: the configuration needs "event-layout": "classic"
 * (compile with -DVSCP_EVENT_UNIX_NS for "unix-ns").
 */
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>

#include <dlfcn.h>

#include "vscpl2drv-websocksrv.h"

namespace {

std::atomic<bool> quit{false};

void stop(int) { quit = true; }

/* The type of the function comes from the header, so that a wrong call does not compile. */
template <typename Function> Function find(void *module, const char *name)
{
  void *symbol = dlsym(module, name);
  if (!symbol) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::exit(1);
  }
  return reinterpret_cast<Function>(symbol);
}

/* VSCPRead and VSCPWrite may run at the same time, so reading has a thread of its own. */
void show_events(long handle, decltype(&VSCPRead) read)
{
  while (!quit) {
    vscpEvent event;
    /* A timeout lets the loop see `quit`. The event needs no preparation. */
    if (read(handle, &event, 500) != CANAL_ERROR_SUCCESS) continue;
    std::printf("class %u type %u from ", event.vscp_class, event.vscp_type);
    for (int i = 0; i < 16; i++) std::printf(i ? ":%02X" : "%02X", event.GUID[i]);
    for (int i = 0; i < event.sizeData; i++) std::printf(" %02X", event.pdata[i]);
    std::printf("\n");
    std::fflush(stdout);
    std::free(event.pdata); /* made with malloc, owned by the caller */
  }
}

/* A measurement (class 10) of a temperature (type 6): single float, degrees Celsius, sensor 0. */
int write_temperature(long handle, decltype(&VSCPWrite) write, float celsius)
{
  std::uint32_t bits;
  std::memcpy(&bits, &celsius, sizeof bits);
  std::uint8_t data[5] = {0xA8, static_cast<std::uint8_t>(bits >> 24),
                          static_cast<std::uint8_t>(bits >> 16),
                          static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)};

  vscpEvent event{}; /* zeros: date and time stamp not set */
  event.head = 3 << 5; /* normal priority */
  event.vscp_class = 10;
  event.vscp_type = 6;
  event.GUID[15] = 1;
  event.sizeData = sizeof data;
  event.pdata = data; /* the driver copies it */
  return write(handle, &event, 500);
}

} // namespace

int main(int argc, char **argv)
{
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s library configuration\n", argv[0]);
    return 2;
  }
  void *module = dlopen(argv[1], RTLD_LAZY);
  if (!module) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  auto write = find<decltype(&VSCPWrite)>(module, "VSCPWrite");
  auto read = find<decltype(&VSCPRead)>(module, "VSCPRead");
  auto close = find<decltype(&VSCPClose)>(module, "VSCPClose");

  /* Without a GUID the driver takes the one of its configuration, or makes one. */
  long handle = find<decltype(&VSCPOpen)>(module, "VSCPOpen")(argv[2], nullptr);
  if (handle == 0) return 1; /* the driver has said why */
  std::signal(SIGINT, stop);
  std::signal(SIGTERM, stop);

  std::thread reader(show_events, handle, read);
  for (int tick = 0; !quit; tick++) {
    int status = write_temperature(handle, write, 20.0F + 0.5F * static_cast<float>(tick % 10));
    if (status != CANAL_ERROR_SUCCESS) std::fprintf(stderr, "VSCPWrite: error %d\n", status);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }

  close(handle); /* wakes the reader */
  reader.join();
  dlclose(module);
  return 0;
}
