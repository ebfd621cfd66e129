//! Points at which the world can break.
//!
//! Whatever writes passes one of these points before it and one after it. In the program they are nothing; the tests let the
//! disk fill up, the machine die or a file vanish at each of them in turn.

use std::io;

/// Where the world can break. Cloning shares the plan of the test.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    #[cfg(test)]
    plan: Option<std::sync::Arc<testing::Plan>>,
}

impl Faults {
    /// A world that does not break by itself.
    pub fn none() -> Self {
        Self::default()
    }

    /// Passes a point.
    ///
    /// # Errors
    /// Whatever the test wants to go wrong here.
    pub fn pass(&self, point: &'static str) -> io::Result<()> {
        #[cfg(test)]
        if let Some(plan) = &self.plan {
            return plan.pass(point);
        }
        let _ = point;
        Ok(())
    }

    /// Whether the disk cannot rename over nothing in one call.
    pub fn is_old_disk(&self) -> bool {
        #[cfg(test)]
        if let Some(plan) = &self.plan {
            return plan.old_disk;
        }
        false
    }

    /// How much of `length` bytes is written before the machine dies, if it dies in the middle of this write.
    pub fn torn(&self, length: usize) -> Option<usize> {
        #[cfg(test)]
        if let Some(plan) = &self.plan {
            return plan.torn(length);
        }
        let _ = length;
        None
    }
}

/// What the tests break.
#[cfg(test)]
pub mod testing {
    use super::Faults;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// What goes wrong.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Kind {
        /// The machine dies: nothing after this happens.
        Death,
        /// The machine dies in the middle of the next write to the journal.
        TornWrite,
        /// This call fails, and the program goes on.
        Error(i32),
        /// Somebody else acts.
        Meanwhile,
    }

    /// What goes wrong, and when.
    #[derive(Debug)]
    pub struct Plan {
        at: usize,
        kind: Kind,
        passed: AtomicUsize,
        dead: AtomicBool,
        pub(super) old_disk: bool,
        meanwhile: Option<Meanwhile>,
    }

    /// What somebody else does at a point.
    pub struct Meanwhile(Box<dyn Fn() + Send + Sync>);

    impl std::fmt::Debug for Meanwhile {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("Meanwhile")
        }
    }

    impl Plan {
        pub(super) fn pass(&self, point: &'static str) -> io::Result<()> {
            let died = || io::Error::other(format!("the machine died before: {point}"));
            if self.dead.load(Ordering::SeqCst) {
                return Err(died());
            }
            if self.passed.fetch_add(1, Ordering::SeqCst) != self.at {
                return Ok(());
            }
            match self.kind {
                Kind::Death => {
                    self.dead.store(true, Ordering::SeqCst);
                    Err(died())
                }
                Kind::Meanwhile => {
                    if let Some(Meanwhile(act)) = &self.meanwhile {
                        act();
                    }
                    Ok(())
                }
                Kind::TornWrite => Ok(()),
                Kind::Error(number) => Err(io::Error::from_raw_os_error(number)),
            }
        }

        pub(super) fn torn(&self, length: usize) -> Option<usize> {
            let due = self.kind == Kind::TornWrite && self.passed.load(Ordering::SeqCst) > self.at;
            if !due || self.dead.swap(true, Ordering::SeqCst) {
                return None;
            }
            Some(length / 2)
        }
    }

    impl Faults {
        /// A world that breaks at the given point, counted from 0.
        pub fn at(at: usize, kind: Kind) -> Self {
            Self::on_disk(at, kind, false)
        }

        /// The same, on a disk that may be unable to rename over nothing in one call.
        pub fn on_disk(at: usize, kind: Kind, old_disk: bool) -> Self {
            Self::planned(at, kind, old_disk, None)
        }

        /// A world in which somebody else does this at the given point.
        pub fn meanwhile(at: usize, act: impl Fn() + Send + Sync + 'static) -> Self {
            Self::planned(at, Kind::Meanwhile, false, Some(Meanwhile(Box::new(act))))
        }

        fn planned(at: usize, kind: Kind, old_disk: bool, meanwhile: Option<Meanwhile>) -> Self {
            let (passed, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
            Self { plan: Some(Arc::new(Plan { at, kind, passed, dead, old_disk, meanwhile })) }
        }

        /// How many points were passed.
        pub fn passed(&self) -> usize {
            self.plan.as_ref().map_or(0, |plan| plan.passed.load(Ordering::SeqCst))
        }
    }
}
