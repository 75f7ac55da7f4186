/* A program that is linked with the library instead of loading it; its client speaks ws2. */
#include <limits.h>

#include "client.h"
#include "vscpl2drv-websocksrv.h"

static void expect_reply(struct client *client, const char *word)
{
  char expected[128];
  snprintf(expected, sizeof expected, "{\"type\":\"+\",\"command\":\"%s\",\"args\":null}", word);
  CHECK_TEXT(client_receive(client, DEADLINE), expected);
}

static void expect_part(const char *text, const char *part)
{
  if (!strstr(text, part)) check_failed(__FILE__, __LINE__, "no %s in\n  %s", part, text);
}

int main(void)
{
  static struct client client;
  uint8_t data[3] = {1, 2, 250};
  vscpEvent event;
  CHECK_RANGE(VSCPGetVersion(), 1, UINT32_MAX);
  CHECK_RANGE(strlen(VSCPGetVendorString()), 1, 256);

  int port = free_port();
  long handle = VSCPOpen(configuration(port, LAYOUT).text, NULL);
  CHECK_RANGE(handle, 1, LONG_MAX);
  client_connect(&client, port, "/ws2");
  CHECK_PREFIX(client_receive(&client, DEADLINE), "{\"type\":\"+\",\"args\":[\"AUTH0\",\"");
  client_send(&client, "{\"type\":\"CMD\",\"command\":\"AUTH\",\"args\":{\"iv\":\"" LOGIN_IV
                       "\",\"crypto\":\"" LOGIN_CRYPTO "\"}}");
  expect_reply(&client, "AUTH");
  client_send(&client, "{\"type\":\"CMD\",\"command\":\"OPEN\",\"args\":null}");
  expect_reply(&client, "OPEN");

  step("VSCPWrite");
  memset(&event, 0, sizeof event);
  event.vscp_class = 10;
  event.vscp_type = 6;
  event.GUID[15] = 9;
  event.sizeData = sizeof data;
  event.pdata = data;
  CHECK_NUMBER(VSCPWrite(handle, &event, 500), CANAL_ERROR_SUCCESS);
  const char *text = client_receive(&client, DEADLINE);
  CHECK_PREFIX(text, "{\"type\":\"EVENT\",\"event\":{");
  expect_part(text, "\"vscpClass\":10");
  expect_part(text, "\"vscpType\":6");
  expect_part(text, "\"vscpData\":[1,2,250]");
  expect_part(text, "\"guid\":\"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:09\"");

  step("VSCPRead");
  client_send(&client, "{\"type\":\"EVENT\",\"event\":{\"vscpClass\":20,\"vscpType\":3,"
                       "\"vscpGuid\":\"0:1:2:3:4:5:6:7:8:9:A:B:C:D:E:F\",\"vscpData\":[7,8]}}");
  expect_reply(&client, "EVENT");
  memset(&event, 0xA5, sizeof event);
  CHECK_NUMBER(VSCPRead(handle, &event, DEADLINE), CANAL_ERROR_SUCCESS);
  CHECK_NUMBER(event.vscp_class, 20);
  CHECK_NUMBER(event.vscp_type, 3);
  for (int i = 0; i < 16; i++) CHECK_NUMBER(event.GUID[i], i);
  CHECK_NUMBER(event.sizeData, 2);
  CHECK_NUMBER(event.pdata[0], 7);
  CHECK_NUMBER(event.pdata[1], 8);
  free(event.pdata);

  client_close(&client);
  CHECK_NUMBER(VSCPClose(handle), CANAL_ERROR_SUCCESS);
  return 0;
}
