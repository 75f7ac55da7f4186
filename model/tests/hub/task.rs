//! [`TaskLock`]: other threads work on the value of a task, and the task misses no wake-up.

use std::{sync::Arc, task::Poll};

use hub_model::{sync::block_on, task_lock::TaskLock};
use loom::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    thread,
};

use super::check;

#[test]
fn a_task_that_has_found_it_locked_is_woken() {
    check(|| {
        let lock = Arc::new(TaskLock::new(()));
        let message = Arc::new(AtomicBool::new(false));
        let helper = thread::spawn({
            let lock = lock.clone();
            // The task may find it locked only if there is a step meanwhile.
            move || {
                lock.help(|()| {
                    thread::yield_now();
                    true
                });
            }
        });
        let sender = thread::spawn({
            let (lock, message) = (lock.clone(), message.clone());
            move || {
                message.store(true, SeqCst);
                lock.help(|()| false);
            }
        });
        block_on(
            |context| match lock.poll(context.waker(), |()| message.load(SeqCst)) {
                Some(true) => Poll::Ready(()),
                _ => Poll::Pending,
            },
        );
        helper.join().unwrap();
        sender.join().unwrap();
    });
}

#[test]
fn what_others_have_not_done_is_done_by_the_task() {
    check(|| {
        const EVENTS: usize = 2;

        let lock = Arc::new(TaskLock::new(()));
        let brought = Arc::new(AtomicUsize::new(0));
        let bringers = [(); EVENTS].map(|()| {
            let (lock, brought) = (lock.clone(), brought.clone());
            thread::spawn(move || {
                brought.fetch_add(1, SeqCst);
                lock.help(|()| false);
            })
        });
        block_on(
            |context| match lock.poll(context.waker(), |()| brought.load(SeqCst)) {
                Some(EVENTS) => Poll::Ready(()),
                _ => Poll::Pending,
            },
        );
        for bringer in bringers {
            bringer.join().unwrap();
        }
    });
}
