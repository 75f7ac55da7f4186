/*
 * A host that forks, as daemons do: in the child the driver's threads are missing, so its handles
 * are not open there, whatever is done with them. The parent is not affected.
 */
#include <limits.h>
#include <sys/wait.h>

#include "library.h"
#include "sample.h"

int main(int argc, char **argv)
{
  struct driver driver = driver_load(library_path(argc, argv));
  static struct client client;
  uint8_t data[40];
  vscpEvent event;
  int port = free_port(), status;
  long handle = driver.open(configuration(port, LAYOUT).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  sample_event(1, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_SUCCESS);

  step("the child");
  pid_t child = fork();
  CHECK_RANGE(child, 0, INT_MAX);
  if (child == 0) {
    alarm((unsigned)patient(DEADLINE) / 1000);
    CHECK_NUMBER(driver.write(handle, &event, 0), CANAL_ERROR_NOT_OPEN);
    CHECK_NUMBER(driver.read(handle, &event, 1), CANAL_ERROR_NOT_OPEN);
    CHECK_NUMBER(driver.close(handle), CANAL_ERROR_NOT_OPEN);
    exit(0);
  }
  CHECK_NUMBER(waitpid(child, &status, 0), child);
  CHECK_NUMBER(status, 0);

  step("the parent");
  client_login(&client, port);
  sample_event(2, &event, data);
  CHECK_NUMBER(driver.write(handle, &event, 100), CANAL_ERROR_SUCCESS);
  sample_check_text(2, client_receive(&client, DEADLINE));
  client_close(&client);
  CHECK_NUMBER(driver.close(handle), CANAL_ERROR_SUCCESS);
  driver_unload(&driver);
  return 0;
}
