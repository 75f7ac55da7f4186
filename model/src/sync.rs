//! The primitives of the driver's module of that name, made of those of loom.

#![allow(
    missing_docs,
    reason = "the functions are those of std and parking_lot"
)]

use std::{
    ops::{Add, Deref, DerefMut},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

pub use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::{sync, thread};

/// What time does while somebody waits with a deadline.
#[derive(Clone, Copy, Debug)]
pub enum Time {
    /// It stands still: only a notification ends the wait.
    StandsStill,
    /// It runs out: no notification comes before the deadline.
    RunsOut,
}

#[derive(Debug)]
struct Clock {
    time: Time,
    now: Duration,
}

loom::lazy_static! {
    // No step of the model: only the thread that runs uses it.
    static ref CLOCK: std::sync::Mutex<Clock> = std::sync::Mutex::new(Clock {
        time: Time::StandsStill,
        now: Duration::ZERO,
    });
}

fn clock<T>(with: impl FnOnce(&mut Clock) -> T) -> T {
    with(
        &mut CLOCK
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner),
    )
}

/// Sets what time does from now on in this run of the model.
pub fn set_time(time: Time) {
    clock(|clock| clock.time = time);
}

/// A moment of the model's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(Duration);

impl Instant {
    pub fn now() -> Self {
        clock(|clock| Self(clock.now))
    }

    pub fn duration_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }

    pub fn checked_add(self, time: Duration) -> Option<Self> {
        self.0.checked_add(time).map(Self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0 + time)
    }
}

/// A mutex with the functions of parking_lot's.
#[derive(Debug, Default)]
pub struct Mutex<T>(sync::Mutex<T>);

/// The lock of a [`Mutex`].
#[derive(Debug)]
pub struct MutexGuard<'m, T> {
    mutex: &'m sync::Mutex<T>,
    /// `None` only while it waits.
    guard: Option<sync::MutexGuard<'m, T>>,
}

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let guard = self.0.try_lock().ok()?;
        Some(MutexGuard {
            mutex: &self.0,
            guard: Some(guard),
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: &self.0,
            guard: self.0.lock().ok(),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().expect("waits")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect("waits")
    }
}

/// A waker with the functions of futures' one.
#[derive(Debug, Default)]
pub struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub fn register(&self, waker: &Waker) {
        *self.0.lock() = Some(waker.clone());
    }

    pub fn wake(&self) {
        let waker = self.0.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A condition variable with the functions of parking_lot's.
#[derive(Debug, Default)]
pub struct Condvar(sync::Condvar);

/// How a wait with a deadline has ended.
#[derive(Clone, Copy, Debug)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub fn timed_out(self) -> bool {
        self.0
    }
}

impl Condvar {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.guard.take().expect("waits");
        guard.guard = self.0.wait(held).ok();
    }

    pub fn wait_until<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Instant,
    ) -> WaitTimeoutResult {
        let runs_out = matches!(clock(|clock| clock.time), Time::RunsOut);
        if runs_out {
            guard.guard = None;
            thread::yield_now();
            clock(|clock| clock.now = clock.now.max(deadline.0));
            guard.guard = guard.mutex.lock().ok();
        } else {
            self.wait(guard);
        }
        WaitTimeoutResult(runs_out)
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

struct Parked(sync::Notify);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Polls each time that the waker is woken, as a runtime does, until the result is ready. Unlike a
/// runtime it never polls spuriously, so that a missing wake-up is found as a deadlock.
pub fn block_on<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let parked = Arc::new(Parked(sync::Notify::new()));
    let waker = parked.clone().into();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = poll(&mut context) {
            return result;
        }
        parked.0.wait();
    }
}
