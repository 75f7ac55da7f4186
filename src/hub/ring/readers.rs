//! Who reads the ring, and who of them is parked.

use std::task::Waker;

use smallvec::SmallVec;

use crate::hub::batch::{Endpoint, Routed};

type Wakers = SmallVec<[Waker; 4]>;

/// The readers, by the index that their subscription holds.
#[derive(Debug, Default)]
pub(super) struct Readers {
    slots: Vec<Option<Reader>>,
    free: Vec<usize>,
    /// Indices of readers that are parked; it may name some that no longer are.
    parked: Vec<usize>,
}

/// One of the readers.
#[derive(Debug)]
pub(super) struct Reader {
    endpoint: Endpoint,
    /// Number of the batch that it takes next.
    pub(super) next: u64,
    /// Set while it is parked.
    waker: Option<Waker>,
    /// True if it is in the list of the parked.
    listed: bool,
}

impl Reader {
    /// Takes all before the batch with the number `next`. It is not parked any more.
    pub(super) fn take_until(&mut self, next: u64) {
        self.next = next;
        self.waker = None;
    }
}

impl Readers {
    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Returns whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a reader that takes the batch with the number `next` first. Returns its index.
    pub(super) fn insert(&mut self, endpoint: Endpoint, next: u64) -> usize {
        let reader = Some(Reader {
            endpoint,
            next,
            waker: None,
            listed: false,
        });
        match self.free.pop() {
            Some(index) => {
                self.slots[index] = reader;
                index
            }
            None => {
                self.slots.push(reader);
                self.slots.len() - 1
            }
        }
    }

    /// Removes and returns the reader.
    pub(super) fn remove(&mut self, index: usize) -> Option<Reader> {
        let reader = self.slots[index].take()?;
        if reader.listed {
            self.parked.retain(|&parked| parked != index);
        }
        self.free.push(index);
        if self.is_empty() {
            *self = Self::default();
        }
        Some(reader)
    }

    /// Returns the reader.
    pub(super) fn get(&self, index: usize) -> Option<&Reader> {
        self.slots[index].as_ref()
    }

    /// Returns the reader.
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Reader> {
        self.slots[index].as_mut()
    }

    /// Has the reader woken by the next event for it.
    pub(super) fn park(&mut self, index: usize, waker: &Waker) {
        let Some(reader) = &mut self.slots[index] else {
            return;
        };
        match &mut reader.waker {
            Some(old) => old.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        if !std::mem::replace(&mut reader.listed, true) {
            self.parked.push(index);
        }
    }

    /// Takes the wakers of all parked readers that some of the events may be for, or of all parked
    /// readers if the ring fills up.
    pub(super) fn take_parked(&mut self, new: &[Routed], fills_up: bool) -> Wakers {
        let Self { slots, parked, .. } = self;
        let mut wakers = Wakers::new();
        parked.retain(|&index| {
            let Some(reader) = &mut slots[index] else {
                return false;
            };
            // A reader that has read all is not woken for what it has brought itself.
            if reader.waker.is_some() && !fills_up && !concern(new, reader.endpoint) {
                return true;
            }
            reader.listed = false;
            wakers.extend(reader.waker.take());
            false
        });
        wakers
    }

    /// Takes the wakers of all parked readers.
    pub(super) fn take_all_parked(&mut self) -> impl Iterator<Item = Waker> {
        let readers = self.slots.iter_mut().flatten();
        readers.filter_map(|reader| reader.waker.take())
    }

    /// Returns how many indices the list of the parked has.
    #[cfg(test)]
    pub(super) fn listed(&self) -> usize {
        self.parked.len()
    }
}

/// Returns whether some of the events may be for a reader: nothing goes back to where it came from,
/// or from bus to bus.
fn concern(events: &[Routed], reader: Endpoint) -> bool {
    events.iter().any(|routed| match reader {
        Endpoint::Bus(_) => !matches!(routed.origin, Endpoint::Bus(_)),
        _ => routed.origin != reader,
    })
}
