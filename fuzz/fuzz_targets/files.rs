#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vscpl2drv_websocksrv::fuzzing::files(data));
