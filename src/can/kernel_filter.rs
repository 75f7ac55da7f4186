//! Translates filters of events into filters of the kernel (CAN_RAW_FILTER), so that frames that do
//! not pass do not wake the process.

use libc::{CAN_EFF_FLAG, CAN_RTR_FLAG};

use super::map::{BUS_GUID_SIZE, CLASS, KIND, PRIORITY};
use crate::event::{Filter, Guid};

/// A filter of the kernel (`struct can_filter` in `linux/can.h`): a frame passes if its identifier,
/// with the kernel's flags in the upper bits, equals `id` in all bits of `mask`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KernelFilter {
    /// The bits of an identifier that passes.
    pub(super) id: u32,
    /// The bits that are compared.
    pub(super) mask: u32,
}

impl KernelFilter {
    /// Makes the filter that passes exactly the frames whose events pass `filter` on the bus with
    /// this GUID. Returns `None` if no frame can pass.
    pub(super) fn new(filter: &Filter, bus_guid: &Guid) -> Option<Self> {
        let Filter { value, mask } = filter;
        // These bits are the same in the events of all frames.
        let guid_byte_matches =
            |index: usize| (value.guid.0[index] ^ bus_guid.0[index]) & mask.guid.0[index] == 0;
        let possible = value.priority & mask.priority & !7 == 0
            && value.class & mask.class & !0x1FF == 0
            && value.kind & mask.kind & !0xFF == 0
            && (0..BUS_GUID_SIZE).all(guid_byte_matches);
        let bits = |priority: u8, class: u16, kind: u16, guid: Guid| {
            u32::from(priority & 7) << PRIORITY
                | u32::from(class & 0x1FF) << CLASS
                | u32::from(kind & 0xFF) << KIND
                | u32::from(guid.0[15])
        };
        let mask = bits(mask.priority, mask.class, mask.kind, mask.guid);
        possible.then_some(Self {
            id: bits(value.priority, value.class, value.kind, value.guid) & mask | CAN_EFF_FLAG,
            // CAN_ERR_FLAG in the mask would make it a filter of error frames.
            mask: mask | CAN_EFF_FLAG | CAN_RTR_FLAG,
        })
    }
}

#[cfg(test)]
mod tests {
    use libc::CAN_EFF_MASK;
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        can::{frame::Frame, map::to_event},
        event::filter::Pattern,
    };

    const BUS_GUID: &str = "FF:FF:FF:FF:FF:FF:FF:F5:33:33:00:00:00:00:00:00";

    fn bus_guid() -> Guid {
        BUS_GUID.parse().unwrap()
    }

    #[test]
    fn a_filter_that_no_frame_passes_has_no_kernel_filter() {
        for (filter, mask, possible) in [
            ("0,512", "0,0xFFFF", false),
            ("0,0x20A", "0,0x1FF", true),
            ("0,0,256", "0,0,0x100", false),
            ("8", "8", false),
            ("8", "7", true),
            ("0,0,0,-:01:00", "0,0,0,::FF", false),
        ] {
            let filter = Filter::parse_wire(filter, mask).unwrap();
            let kernel = KernelFilter::new(&filter, &bus_guid());
            assert_eq!(kernel.is_some(), possible, "{filter:?}");
        }
    }

    #[test]
    fn the_kernel_filter_has_priority_class_type_and_nickname() {
        let filter = format!("3,10,6,{BUS_GUID}");
        let filter = Filter::parse_wire(&filter, "7,0xFFFF,0xFFFF,::FF").unwrap();
        let kernel = KernelFilter::new(&filter, &bus_guid()).unwrap();
        assert_eq!((kernel.id, kernel.mask), (0x8C0A_0600, 0xDDFF_FFFF));
    }

    /// Patterns of few bits, so that some frames pass.
    fn patterns() -> impl Strategy<Value = Pattern> {
        let few =
            |bits: u32| vec(0..bits, 0..4).prop_map(|set| set.iter().fold(0, |n, b| n | 1u32 << b));
        (few(8), few(16), few(16), few(8), vec(0..16_usize, 0..2)).prop_map(
            |(priority, class, kind, nickname, others)| {
                let mut guid = bus_guid();
                for index in others {
                    guid.0[index] ^= 1;
                }
                guid.0[15] = nickname as u8;
                Pattern {
                    priority: priority as u8,
                    class: class as u16,
                    kind: kind as u16,
                    guid,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn the_kernel_s_filter_passes_what_the_filter_passes(
            id in 0..=CAN_EFF_MASK,
            value in patterns(),
            mask in patterns(),
            flip in vec(0..29_u32, 0..3),
        ) {
            let filter = Filter { value, mask };
            let kernel = KernelFilter::new(&filter, &bus_guid());
            // Most identifiers would not pass: this one nearly does.
            let near = kernel.map_or(id, |kernel| id & !kernel.mask | kernel.id & CAN_EFF_MASK);
            for id in [id, flip.iter().fold(near, |id, bit| id ^ 1 << bit)] {
                let event = to_event(&Frame::classic(id, &[]).unwrap(), bus_guid(), 0).unwrap();
                let passes = kernel.is_some_and(|kernel| {
                    (id | CAN_EFF_FLAG) & kernel.mask == kernel.id & kernel.mask
                });
                prop_assert_eq!(passes, filter.passes_event(&event));
            }
        }
    }
}
