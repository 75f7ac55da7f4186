/* The driver as a daemon loads it: by dlopen, the functions by name. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include <dlfcn.h>

#include "check.h"
#include "vscpl2drv-websocksrv.h"

struct driver {
  void *module;
  __typeof__(&VSCPOpen) open;
  __typeof__(&VSCPClose) close;
  __typeof__(&VSCPWrite) write;
  __typeof__(&VSCPRead) read;
  __typeof__(&VSCPGetVersion) version;
  __typeof__(&VSCPGetVendorString) vendor;
};

static inline void driver_symbol(void *module, const char *name, void *function)
{
  void *symbol = dlsym(module, name);
  if (!symbol) check_failed(__FILE__, __LINE__, "dlsym %s: %s", name, dlerror());
  memcpy(function, &symbol, sizeof symbol);
}

static inline struct driver driver_load(const char *path)
{
  struct driver driver;
  driver.module = dlopen(path, RTLD_LAZY);
  if (!driver.module) check_failed(__FILE__, __LINE__, "dlopen: %s", dlerror());
  driver_symbol(driver.module, "VSCPOpen", &driver.open);
  driver_symbol(driver.module, "VSCPClose", &driver.close);
  driver_symbol(driver.module, "VSCPWrite", &driver.write);
  driver_symbol(driver.module, "VSCPRead", &driver.read);
  driver_symbol(driver.module, "VSCPGetVersion", &driver.version);
  driver_symbol(driver.module, "VSCPGetVendorString", &driver.vendor);
  return driver;
}

static inline void driver_unload(struct driver *driver)
{
  CHECK_NUMBER(dlclose(driver->module), 0);
  memset(driver, 0, sizeof *driver);
}

/* The path of the library: the program's only argument. */
static inline const char *library_path(int argc, char **argv)
{
  if (argc == 2) return argv[1];
  fprintf(stderr, "usage: %s path-of-the-library\n", argv[0]);
  exit(2);
}

#endif
