/*
 * The C interface of vscpl2drv-websocksrv, a level II driver for the VSCP daemon.
 *
 * Generated from src/ffi by cbindgen: change it there.
 *
 * Layouts: define VSCP_EVENT_UNIX_NS before including this file to make vscpEvent the layout of
 * the daemons from 2026 (15.1, 16), unix-ns; without it vscpEvent is the layout of the daemons 14
 * and 15.0, classic. The key event-layout of the configuration must say the same: "unix-ns" or
 * "classic".
 *
 * Handles: a handle is open from the return of VSCPOpen to the call of VSCPClose. Every function
 * may be called with any number as the handle.
 */

#ifndef VSCPL2DRV_WEBSOCKSRV_H
#define VSCPL2DRV_WEBSOCKSRV_H

#include <stdint.h>
#ifdef VSCP_EVENT_UNIX_NS
typedef struct vscpEventUnixNs vscpEvent;
#else
typedef struct vscpEventClassic vscpEvent;
#endif

// Success.
#define CANAL_ERROR_SUCCESS 0

// The queue of the driver had no room within the timeout.
#define CANAL_ERROR_FIFO_FULL 9

// No event came within the timeout.
#define CANAL_ERROR_TIMEOUT 32

// The handle is not open, or was closed during the call.
#define CANAL_ERROR_NOT_OPEN 33

// A required pointer is NULL, or sizeData is over 512 or has no data.
#define CANAL_ERROR_PARAMETER 34

// There is no memory for the data of the event.
#define CANAL_ERROR_MEMORY 35

// The driver has failed during the call. Other calls are not affected.
#define CANAL_ERROR_INTERNAL 36

// The event of daemons 14 and 15.0: 56 bytes on 64-bit machines.
typedef struct vscpEventClassic {
  // Not used: VSCPWrite does not read it, VSCPRead writes 0.
  uint16_t crc;
  // Id of the connection that the event came from.
  uint32_t obid;
  // Date and time in UTC; year 0 if they are not set.
  uint16_t year;
  // 1 to 12.
  uint8_t month;
  uint8_t day;
  uint8_t hour;
  uint8_t minute;
  // 0 to 59; VSCPWrite takes the leap second 60 as 59.
  uint8_t second;
  // Microseconds; 0 if it is not set.
  uint32_t timestamp;
  // Priority, flags and frame version.
  uint16_t head;
  uint16_t vscp_class;
  uint16_t vscp_type;
  // Most significant byte first.
  uint8_t GUID[16];
  // Number of data bytes, 0 to 512.
  uint16_t sizeData;
  // The data; NULL if sizeData is 0.
  uint8_t *pdata;
} vscpEventClassic;

// Date, time and time stamp of a vscpEventUnixNs of frame version 0.
typedef struct vscpEventDate {
  uint8_t day;
  uint8_t hour;
  uint8_t minute;
  // 0 to 59; VSCPWrite takes the leap second 60 as 59.
  uint8_t second;
  // Microseconds; 0 if it is not set.
  uint32_t timestamp;
} vscpEventDate;

// The time of a vscpEventUnixNs. The frame version in its head says which member holds it.
typedef union vscpEventTime {
  // Frame version 0, 2 or 3; year and month are beside it.
  struct vscpEventDate date;
  // Frame version 1, (head & 0x0300) == 0x0100: nanoseconds since 1970 in UTC. VSCPRead
  // gives this form only.
  uint64_t timestamp_ns;
} vscpEventTime;

// The event of daemons from 2026 (15.1, 16): 64 bytes on 64-bit machines.
typedef struct vscpEventUnixNs {
  // Priority, flags and frame version.
  uint16_t head;
  // Id of the connection that the event came from.
  uint32_t obid;
  // 0xFFFF with frame version 1, 0 if the date is not set.
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
  // The data; NULL if sizeData is 0.
  uint8_t *pdata;
  // Not used: VSCPWrite does not read it, VSCPRead writes 0.
  uint16_t crc;
} vscpEventUnixNs;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens a driver: reads its configuration, starts its threads and listens for clients.
//
// pPathConfig: the path of a configuration file in JSON, the JSON text itself, or a configuration
// string of old drivers. NULL and an empty string fail.
// pguid: the GUID of the driver, 16 bytes, most significant first. With NULL or 16 zeros the GUID
// comes from the configuration, or else from the first Ethernet address; without one it is zeros.
//
// Returns the handle of the driver, which is positive and never used again in this process, or
// 0 if the driver could not be opened. The log or standard error says why. It waits for no address
// that is not there yet, for names to listen on 2 s at most, and for remote variables no longer
// than their timeout-ms.
//
// Memory: both arguments are read during the call only, and stay with the caller.
// Threads: any thread may call it, also while others do; each call opens a driver of its own. The
// driver's threads take no signals meant for the host, whose handlers and masks stay as they are.
// Descriptors: if standard input, output or error is closed, /dev/null is opened in its place.
long VSCPOpen(const char *pPathConfig, const unsigned char *pguid);

// Closes a driver: wakes the calls that wait, tells its clients, and ends its threads.
//
// Returns
// CANAL_ERROR_SUCCESS   the driver is closed.
// CANAL_ERROR_NOT_OPEN  the handle is not open, or another thread is closing it.
// CANAL_ERROR_INTERNAL  the driver has failed while closing; the handle is closed all the same.
//
// Threads: any thread may call it, also while others are inside VSCPRead or VSCPWrite with the
// handle, which then return CANAL_ERROR_NOT_OPEN. In a child process after fork no handle of the
// parent is open.
int VSCPClose(long handle);

// Gives an event to the driver, for its clients and CAN buses. Waits for room in its queue.
//
// pEvent: an event in the layout of the driver (see event-layout), with sizeData from 0 to 512
// and as many bytes at pdata. crc is not read, and with sizeData 0 neither is pdata.
// timeout: how long to wait, in milliseconds; 0 waits until there is room.
//
// Returns
// CANAL_ERROR_SUCCESS    the driver has the event, also if nobody wants it.
// CANAL_ERROR_FIFO_FULL  there was no room within the timeout; the event was not taken.
// CANAL_ERROR_NOT_OPEN   the handle is not open, or was closed during the call.
// CANAL_ERROR_PARAMETER  pEvent is NULL, sizeData is over 512, or pdata is NULL and sizeData is
//                        not 0.
// CANAL_ERROR_INTERNAL   the driver has failed; the event may be lost.
//
// Memory: the event and its data are copied before the call returns, and stay with the caller.
// Threads: any number of threads may call it at any time, also before VSCPOpen has returned and
// after VSCPClose.
int VSCPWrite(long handle, const vscpEvent *pEvent, unsigned long timeout);

// Takes the next event from the driver. Waits until there is one.
//
// pEvent: room for an event in the layout of the driver (see event-layout), which may be
// uninitialised: on success every field is written, otherwise none is written; fields are never read.
// timeout: how long to wait, in milliseconds; 0 waits until there is an event.
//
// Returns
// CANAL_ERROR_SUCCESS    the event is in *pEvent.
// CANAL_ERROR_TIMEOUT    no event came within the timeout.
// CANAL_ERROR_NOT_OPEN   the handle is not open, or was closed during the call. With a handle that
//                        is not open the call waits for the timeout, but 50 ms at most.
// CANAL_ERROR_PARAMETER  pEvent is NULL.
// CANAL_ERROR_MEMORY     there is no memory for the data of the event; the event is lost.
// CANAL_ERROR_INTERNAL   the driver has failed; the event may be lost.
//
// Memory: pdata is allocated with malloc and belongs to the caller, who frees it with free. It is
// NULL if sizeData is 0.
// Threads: any number of threads may call it at any time; each event goes to one of them.
int VSCPRead(long handle,
             vscpEvent *pEvent,
             unsigned long timeout);

// Returns the version of the driver: major << 24 | minor << 16 | release << 8 | build.
//
// Threads: any thread may call it at any time.
unsigned long VSCPGetVersion(void);

// Returns the name of the vendor, a string that ends with NUL.
//
// Memory: the string is constant and valid until the process ends. The caller must not free it.
// Threads: any thread may call it at any time.
const char *VSCPGetVendorString(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VSCPL2DRV_WEBSOCKSRV_H */
