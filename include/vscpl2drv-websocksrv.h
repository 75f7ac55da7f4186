/*
 * The C interface of vscpl2drv-websocksrv, a level II driver for the VSCP daemon.
 *
 * Generated from src/ffi by cbindgen: change it there.
 *
 * Define VSCP_EVENT_UNIX_NS before including this file to make vscpEvent the layout of the
 * daemons from 2026 (15.1, 16); without it vscpEvent is the classic layout (14, 15.0). The key
 * "event-layout" of the configuration must say the same ("unix-ns" or "classic").
 */

#ifndef VSCPL2DRV_WEBSOCKSRV_H
#define VSCPL2DRV_WEBSOCKSRV_H

#include <stdint.h>
#ifdef VSCP_EVENT_UNIX_NS
typedef struct vscpEventUnixNs vscpEvent;
#else
typedef struct vscpEventClassic vscpEvent;
#endif

// Done.
#define CANAL_ERROR_SUCCESS 0

// The queue stayed full for the whole timeout.
#define CANAL_ERROR_FIFO_FULL 9

// Nothing came within the timeout.
#define CANAL_ERROR_TIMEOUT 32

// The handle is not open, or was closed while waiting.
#define CANAL_ERROR_NOT_OPEN 33

// NULL, or an event that cannot be.
#define CANAL_ERROR_PARAMETER 34

// There is no memory for the data of an event.
#define CANAL_ERROR_MEMORY 35

// The driver itself failed; it goes on.
#define CANAL_ERROR_INTERNAL 36

// The event of daemons 14 and 15.0, 56 bytes.
typedef struct vscpEventClassic {
  // Not used: never read, written as 0.
  uint16_t crc;
  // Id of the connection that the event came in on.
  uint32_t obid;
  // Date and time in UTC; year 0 where it is not set.
  uint16_t year;
  // 1 to 12.
  uint8_t month;
  uint8_t day;
  uint8_t hour;
  uint8_t minute;
  uint8_t second;
  // Microseconds; 0 where it is not set.
  uint32_t timestamp;
  // Priority, flags, frame version.
  uint16_t head;
  uint16_t vscp_class;
  uint16_t vscp_type;
  // Most significant byte first.
  uint8_t GUID[16];
  // Number of data bytes, 0 to 512.
  uint16_t sizeData;
  // The data; NULL where there is none.
  uint8_t *pdata;
} vscpEventClassic;

// Date, time and time stamp of a [`vscpEventUnixNs`] in the form of frame version 0.
typedef struct vscpEventDate {
  uint8_t day;
  uint8_t hour;
  uint8_t minute;
  uint8_t second;
  // Microseconds; 0 where it is not set.
  uint32_t timestamp;
} vscpEventDate;

// The time of a [`vscpEventUnixNs`]: which form it has is in the frame version.
typedef union vscpEventTime {
  // Frame version 0.
  struct vscpEventDate date;
  // Frame version 1 (`head & 0x0300 == 0x0100`): nanoseconds since 1970.
  uint64_t timestamp_ns;
} vscpEventTime;

// The event of daemons from 2026 (15.1, 16), 64 bytes.
typedef struct vscpEventUnixNs {
  // Priority, flags, frame version.
  uint16_t head;
  // Id of the connection that the event came in on.
  uint32_t obid;
  // 0xFFFF with frame version 1.
  uint16_t year;
  // 0xFF with frame version 1.
  uint8_t month;
  union vscpEventTime time;
  uint16_t vscp_class;
  uint16_t vscp_type;
  // Most significant byte first.
  uint8_t GUID[16];
  // Number of data bytes, 0 to 512.
  uint16_t sizeData;
  // The data; NULL where there is none.
  uint8_t *pdata;
  // Not used: never read, written as 0.
  uint16_t crc;
} vscpEventUnixNs;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens the driver.
//
// `pPathConfig` is the path of a JSON configuration file, or the JSON text itself. `pguid` is
// 16 bytes, most significant first, or NULL. Returns a handle, or 0 where the driver could not
// be opened; the log and standard error say why.
//
// # Safety
// `pPathConfig` must be NULL or a string that ends with NUL, `pguid` NULL or 16 bytes.
long VSCPOpen(const char *pPathConfig, const unsigned char *pguid);

// Closes the driver: wakes every waiting call, disconnects all clients, ends all threads.
//
// Returns CANAL_ERROR_SUCCESS, or CANAL_ERROR_NOT_OPEN for a handle that is not open.
int VSCPClose(long handle);

// Gives an event to the driver, which copies it. Waits at most `timeout` milliseconds (0: as
// long as it takes) for room in its queue.
//
// # Safety
// `pEvent` must be NULL or an event in the layout that the driver was opened for, its `pdata`
// valid for `sizeData` bytes.
int VSCPWrite(long handle, const vscpEvent *pEvent, unsigned long timeout);

// Takes the next event from the driver. Waits at most `timeout` milliseconds (0: as long as it
// takes). Every field of the event is written, none is read; the caller frees `pdata`, which
// is made with malloc.
//
// # Safety
// `pEvent` must be NULL or have room for an event in the layout that the driver was opened for.
int VSCPRead(long handle, vscpEvent *pEvent, unsigned long timeout);

// The version of the driver: major << 24 | minor << 16 | release << 8 | build.
unsigned long VSCPGetVersion(void);

// Who made the driver. The string is never freed.
const char *VSCPGetVendorString(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VSCPL2DRV_WEBSOCKSRV_H */
