/* What the process holds, from /proc/self. */
#ifndef PROCESS_H
#define PROCESS_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "check.h"

/* The number of entries: of "/proc/self/task" the threads, of "/proc/self/fd" the files (and 1). */
static inline long entries(const char *folder)
{
  long count = 0;
  DIR *listing = opendir(folder);
  CHECK(listing != NULL);
  for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing))
    count += entry->d_name[0] != '.';
  closedir(listing);
  return count;
}

static inline long threads(void) { return entries("/proc/self/task"); }
static inline long files(void) { return entries("/proc/self/fd"); }

static inline int thread_id(void) { return (int)syscall(SYS_gettid); }

/* What stands behind `key` in the status of a thread of this process. False: no such thread. */
static inline bool thread_status(int thread, const char *key, char *value, size_t size)
{
  char path[64], line[256];
  bool found = false;
  snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
  FILE *file = fopen(path, "re");
  if (!file) return false;
  while (!found && fgets(line, sizeof line, file)) {
    size_t length = strlen(key);
    if (strncmp(line, key, length) != 0 || line[length] != ':') continue;
    snprintf(value, size, "%s", line + length + 1 + strspn(line + length + 1, " \t"));
    found = true;
  }
  fclose(file);
  return found;
}

/* Whether the thread waits for something. */
static inline bool thread_sleeps(int thread)
{
  char state[64];
  return thread > 0 && thread_status(thread, "State", state, sizeof state) && state[0] == 'S';
}

/* The resident memory in KiB. */
static inline long resident_kib(void)
{
  char value[64];
  CHECK(thread_status(thread_id(), "VmRSS", value, sizeof value));
  return atol(value);
}

#endif
