//! Memory is counted, and one input may not take more than this at any time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Inputs have 64 KiB at most. A line that is read may have a megabyte, and several readers keep one.
const MOST: usize = 128 << 20;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static BASE: AtomicUsize = AtomicUsize::new(0);
static WATCHED: AtomicBool = AtomicBool::new(false);

/// The allocator of the system, counted.
pub struct Counted;

/// Begins to watch.
pub fn begin() {
    BASE.store(LIVE.load(Ordering::Relaxed), Ordering::Relaxed);
    WATCHED.store(true, Ordering::Relaxed);
}

/// Ends it.
pub fn end() {
    WATCHED.store(false, Ordering::Relaxed);
}

fn took(bytes: usize) {
    let live = LIVE.fetch_add(bytes, Ordering::Relaxed) + bytes;
    let over = live.saturating_sub(BASE.load(Ordering::Relaxed)) > MOST;
    if over && WATCHED.swap(false, Ordering::Relaxed) {
        panic!("more than {MOST} bytes were taken for one input, {bytes} of them at once");
    }
}

// Safety: everything is handed to the allocator of the system as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        took(size);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(place, layout, size) }
    }
}
