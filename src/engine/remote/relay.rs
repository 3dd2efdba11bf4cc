//! What tasks wrote, on its way to where it belongs, by a thread of its own: whoever reads it
//! may take his time or stop, and workers are heard and told to end all the same.
//!
//! How much may be on its way is for whoever asks whether it is
//! [too much](OutputRelay::has_too_much). Knows nothing of workers.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::thread::Builder;

use anyhow::Context as _;

use crate::engine::Run;
use crate::host::STACK;
use crate::output::{Acknowledge, Channel, Sink, TaskOutput, TaskRef, WAITING_OUTPUT, Wake, handed_on};
use crate::process::Waker;
use crate::sync::{Condvar, Mutex};
use crate::task::Record;
use crate::workload::Workload;

/// Takes the output of tasks and hands it on to the sink of their run, in the order in which
/// it came.
pub(super) struct OutputRelay<'r, 'q> {
    run: &'r Run<'q>,
    way: Arc<RelayWay>,
    /// Wakes who found that there is too much, or no place.
    waker: Waker,
}

/// Between who brings output and the thread that hands it on.
#[derive(Default)]
struct RelayWay {
    state: Mutex<RelayState>,
    /// Rung when there is something to do for the thread.
    rung: Condvar,
}

#[derive(Default)]
struct RelayState {
    parcels: VecDeque<(u64, Parcel)>,
    n_opened: u64,
    /// Bytes that were not handed on.
    n_bytes: usize,
    /// Tasks that are over and were not handed on.
    n_over: usize,
    /// Why the sink has no place for more, as long as it has none.
    full: Option<String>,
    /// Whether somebody waits for there to be less.
    is_awaited: bool,
    /// Whether the sink may have a place again.
    is_called: bool,
    /// Whether nothing more will come.
    is_last: bool,
}

/// What becomes of the output of one task.
enum Parcel {
    Open(TaskRef<'static>),
    Write(Channel, Vec<u8>),
    Close(Box<Record>),
}

impl RelayWay {
    fn put(&self, number: u64, parcel: Parcel) {
        let mut state = self.state.lock();
        match &parcel {
            Parcel::Open(_) => {}
            Parcel::Write(_, bytes) => state.n_bytes += bytes.len(),
            Parcel::Close(_) => state.n_over += 1,
        }
        let is_news = state.parcels.is_empty();
        state.parcels.push_back((number, parcel));
        drop(state);
        if is_news {
            self.rung.notify_one();
        }
    }
}

impl<'r, 'q> OutputRelay<'r, 'q> {
    /// To the sink of `run`, where what tasks write goes anywhere: elsewhere nobody has to be
    /// waited for. `waker` wakes who brings output and is to wait.
    pub(super) fn for_outlet(run: &'r Run<'q>, workload: &dyn Workload, waker: &Waker) -> Option<Self> {
        workload.outlet().map(|_| Self { run, way: Arc::default(), waker: waker.clone() })
    }

    /// Whether so much is on its way, where as many tasks as there are slots may be over, that
    /// no more is to be brought. If so, its waker wakes once there is less.
    pub(super) fn has_too_much(&self, n_slots: usize) -> bool {
        let mut state = self.way.state.lock();
        let has = state.n_bytes > WAITING_OUTPUT || state.n_over > n_slots;
        state.is_awaited |= has;
        has
    }
}

/// Has `relay`, if there is one, hand on what comes as long as `work` goes on, and what is left
/// then.
///
/// # Errors
/// When no thread can be started for it, or those of `work`.
pub(super) fn while_working<T>(
    relay: Option<&OutputRelay<'_, '_>>,
    work: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    /// After a panic, too: the thread is waited for.
    struct Ends<'w>(&'w RelayWay);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.state.lock().is_last = true;
            self.0.rung.notify_one();
        }
    }
    let Some(relay) = relay else { return work() };
    std::thread::scope(|scope| {
        let thread = Builder::new().name("output".to_owned()).stack_size(STACK);
        let started = thread.spawn_scoped(scope, || HandingOn::new(relay).hand_on_all());
        started.context("cannot start the thread that writes output (see ulimit -u)")?;
        let _ends = Ends(&relay.way);
        work()
    })
}

impl Sink for OutputRelay<'_, '_> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        let task = match task {
            TaskRef::Shared(task) => task,
            TaskRef::Lent(task) => Arc::new(task.clone()),
        };
        let number = {
            let mut state = self.way.state.lock();
            state.n_opened += 1;
            state.n_opened
        };
        self.way.put(number, Parcel::Open(TaskRef::Shared(task)));
        Box::new(RelayedOutput { way: &self.way, number })
    }
}

struct RelayedOutput<'a> {
    way: &'a RelayWay,
    number: u64,
}

impl TaskOutput for RelayedOutput<'_> {
    /// What cannot be written shows when the task is closed.
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.way.put(self.number, Parcel::Write(channel, bytes.to_vec()));
        Ok(())
    }

    /// The waker of the relay wakes, and not `wake`: they wake the same.
    fn holds_up(&mut self, _wake: &Wake) -> Option<String> {
        self.way.state.lock().full.clone()
    }

    /// Those who have a relay have their records acknowledged by the batch.
    fn close(self: Box<Self>, record: Record, _acknowledge: &dyn Acknowledge) {
        self.way.put(self.number, Parcel::Close(Box::new(record)));
    }
}

/// On the thread that hands on: all outputs that were not closed.
struct HandingOn<'a, 'r, 'q> {
    relay: &'a OutputRelay<'r, 'q>,
    /// Called when there may be a place again.
    wake: Wake,
    under_way: BTreeMap<u64, TaskHandingOn<'a>>,
    /// Of tasks that are over, where there is no place.
    held_up: Vec<(TaskHandingOn<'a>, Box<Record>)>,
}

struct TaskHandingOn<'a> {
    output: Box<dyn TaskOutput + 'a>,
    written: io::Result<()>,
}

impl<'a, 'r, 'q> HandingOn<'a, 'r, 'q> {
    fn new(relay: &'a OutputRelay<'r, 'q>) -> Self {
        let way = Arc::clone(&relay.way);
        let wake: Wake = Arc::new(move || {
            way.state.lock().is_called = true;
            way.rung.notify_one();
        });
        Self { relay, wake, under_way: BTreeMap::new(), held_up: Vec::new() }
    }

    fn hand_on_all(mut self) {
        loop {
            let nothing_to_do = |state: &mut RelayState| {
                state.parcels.is_empty() && !state.is_called && !(state.is_last && self.held_up.is_empty())
            };
            let way = &self.relay.way;
            let mut state = way.rung.wait_while(way.state.lock(), nothing_to_do);
            let parcels = std::mem::take(&mut state.parcels);
            if parcels.is_empty() && !std::mem::take(&mut state.is_called) {
                return;
            }
            drop(state);
            for (number, parcel) in parcels {
                self.hand_on(number, parcel);
            }
            self.close_all();
        }
    }

    fn hand_on(&mut self, number: u64, parcel: Parcel) {
        match parcel {
            Parcel::Open(task) => {
                let output = self.relay.run.sink.open(task);
                self.under_way.insert(number, TaskHandingOn { output, written: Ok(()) });
            }
            Parcel::Write(channel, bytes) => {
                if let Some(task) = self.under_way.get_mut(&number)
                    && task.written.is_ok()
                {
                    task.written = task.output.write(channel, &bytes);
                }
                self.has_less(|state| state.n_bytes -= bytes.len());
            }
            Parcel::Close(record) => {
                self.held_up.extend(self.under_way.remove(&number).map(|task| (task, record)));
                self.close_all();
            }
        }
    }

    /// Closes the outputs of all that are over and for which there is a place.
    fn close_all(&mut self) {
        let mut full = None;
        for (mut task, record) in std::mem::take(&mut self.held_up) {
            if let Some(why) = task.output.holds_up(&self.wake) {
                full = Some(why);
                self.held_up.push((task, record));
                continue;
            }
            task.output.close(handed_on(*record, task.written), &self.relay.run.batch);
            self.has_less(|state| state.n_over -= 1);
        }
        self.has_less(|state| {
            state.is_awaited |= full.is_none() && state.full.is_some();
            state.full = full;
        });
    }

    fn has_less(&self, change: impl FnOnce(&mut RelayState)) {
        let mut state = self.relay.way.state.lock();
        change(&mut state);
        if std::mem::take(&mut state.is_awaited) {
            drop(state);
            self.relay.waker.wake();
        }
    }
}
