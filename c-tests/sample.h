/*
 * Numbered events, 0 to 65535: each differs from all others, and any can be checked alone. The
 * data are 0 to 39 bytes.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <limits.h>

#include "client.h"
#include "vscpl2drv-websocksrv.h"

#define SAMPLE_TEXT 512

/* A handle that was never set. */
#define GARBAGE ((long)(ULONG_MAX / 0xFF * 0x5A))

static inline unsigned sample_head(unsigned number) { return number % 8 << 5; }
static inline unsigned sample_class(unsigned number) { return 10 + number % 7; }
static inline unsigned sample_size(unsigned number) { return number % 40; }

static inline uint8_t sample_data(unsigned number, unsigned index)
{
  return (uint8_t)(number * 3 + index * 7);
}

static inline uint8_t sample_guid(unsigned number, unsigned index)
{
  return (uint8_t)(index < 8 ? 0xFF - index : number >> (15 - index) % 4 * 8);
}

/* The event as a host makes it: no date, no time stamp. `data` has room for 40 bytes. */
static inline void sample_event(unsigned number, vscpEvent *event, uint8_t *data)
{
  memset(event, 0, sizeof *event);
  event->crc = 0xDEAD;
  event->head = (uint16_t)sample_head(number);
  event->vscp_class = (uint16_t)sample_class(number);
  event->vscp_type = (uint16_t)number;
  event->sizeData = (uint16_t)sample_size(number);
  for (unsigned i = 0; i < 16; i++) event->GUID[i] = sample_guid(number, i);
  for (unsigned i = 0; i < sample_size(number); i++) data[i] = sample_data(number, i);
  event->pdata = sample_size(number) ? data : NULL;
}

/* The event as text in the form of the driver, with `middle` for obid, date and time stamp. */
static inline void sample_fields(unsigned number, const char *middle, char *text)
{
  text += sprintf(text, "E;%u,%u,%u%s", sample_head(number), sample_class(number), number, middle);
  for (unsigned i = 0; i < 16; i++)
    text += sprintf(text, "%s%02X", i ? ":" : "", sample_guid(number, i));
  for (unsigned i = 0; i < sample_size(number); i++)
    text += sprintf(text, ",0x%02X", sample_data(number, i));
}

/* The event as a client sends it by ws1. */
static inline void sample_text(unsigned number, char *text)
{
  sample_fields(number, ",,,,", text);
}

/* The number of an event that came by ws1, by its type. 0 and up; -1: no event. */
static inline long sample_number(const char *text)
{
  unsigned head, vscp_class, number;
  if (!text || sscanf(text, "E;%u,%u,%u,", &head, &vscp_class, &number) != 3) return -1;
  return number;
}

/* What follows the comma of that number, from 1. NULL where there are fewer. */
static inline const char *behind_comma(const char *text, int number)
{
  while (text && number-- > 0) {
    text = strchr(text, ',');
    if (text) text++;
  }
  return text;
}

/* Checks a ws1 message. It may be NULL. */
static inline void sample_check_text(unsigned number, const char *text)
{
  char found[4096] = "", expected[SAMPLE_TEXT];
  const char *obid = behind_comma(text, 3);
  const char *guid = behind_comma(obid, 3);
  sample_fields(number, ",", expected);
  if (guid) snprintf(found, sizeof found, "%.*s%s", (int)(obid - text), text, guid);
  if (strcmp(found, expected) != 0)
    check_failed(__FILE__, __LINE__, "event %u by ws1:\n  found    %s\n  expected %s", number,
                 text ? text : "(nothing)", expected);
}

/* Checks an event that VSCPRead gave, without its date, time stamp and obid. */
static inline void sample_check_event(unsigned number, const vscpEvent *event)
{
  CHECK_NUMBER(event->vscp_type, number);
  CHECK_NUMBER(event->vscp_class, sample_class(number));
  CHECK_NUMBER(event->head & ~0x0300u, sample_head(number));
  CHECK_NUMBER(event->sizeData, sample_size(number));
  for (unsigned i = 0; i < 16; i++) CHECK_NUMBER(event->GUID[i], sample_guid(number, i));
  if (event->sizeData == 0) CHECK(event->pdata == NULL);
  for (unsigned i = 0; i < event->sizeData; i++)
    CHECK_NUMBER(event->pdata[i], sample_data(number, i));
}

#endif
