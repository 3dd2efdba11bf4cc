//! Who does which tasks: ranges of tasks are claimed, given back, and taken over from
//! workers that are gone, by `link()` alone.
//!
//! Nothing is taken from the living. A worker that was thought gone and comes back does a
//! task twice at most; whose record counts is for the client to say. Knows nothing of what
//! tasks are.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::layout::{RunLayout, mark, private};

/// Tasks that belong together until they are recorded or given back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum WorkItem {
    /// The claim of this number.
    Claim(u64),
    /// Tasks that a worker gave back.
    Freed { start: u64, end: u64, by: String },
}

impl fmt::Display for WorkItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(number) => write!(f, "{number}"),
            Self::Freed { start, end, by } => write!(f, "{start}-{end}-{by}"),
        }
    }
}

impl WorkItem {
    /// The item that a file is about, and of its owners the how-manieth it names.
    fn parse(name: &str) -> Option<(Self, u32)> {
        let (name, generation) = match name.split_once('.') {
            Some((name, generation)) => (name, generation.parse().ok()?),
            None => (name, 0),
        };
        let item = match name.split_once('-') {
            None => Self::Claim(name.parse().ok()?),
            Some((start, rest)) => {
                let (end, by) = rest.split_once('-')?;
                Self::Freed { start: start.parse().ok()?, end: end.parse().ok()?, by: by.to_owned() }
            }
        };
        Some((item, generation))
    }
}

/// What stands in a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClaimOwner {
    tasks: Range<u64>,
    worker: String,
    /// How often these tasks had begun and were given up because a worker's time was over.
    lost: u32,
}

impl ClaimOwner {
    fn text(&self) -> String {
        let Self { tasks, worker, lost } = self;
        format!("{} {} {worker} {lost}\n", tasks.start, tasks.end)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n')?.split(' ');
        let (start, end) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (worker, lost) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        Some(Self { tasks: start..end, worker, lost })
    }
}

/// Tasks that are this worker's to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) item: WorkItem,
    pub(super) tasks: Range<u64>,
    /// Who had them before, and may have recorded some.
    pub(super) former: Vec<String>,
    /// Those of them that belong to other items by now.
    pub(super) elsewhere: Vec<Range<u64>>,
    pub(super) lost: u32,
}

/// The claims of a run directory, as one worker sees them and takes part.
pub(super) struct Claims {
    layout: RunLayout,
    worker: String,
    /// The next claim that there may not be yet, and where it begins.
    next: u64,
    start: u64,
    n_temporaries: u64,
    /// Items that were seen to be done.
    done: HashSet<WorkItem>,
}

impl Claims {
    /// Looks where the claims have come to.
    pub(super) fn new(layout: &RunLayout, worker: &str) -> io::Result<Self> {
        let mut claims = Self {
            layout: layout.clone(),
            worker: worker.to_owned(),
            next: 0,
            start: 0,
            n_temporaries: 0,
            done: HashSet::new(),
        };
        let numbers = layout.names("claims")?.into_iter().filter_map(|name| name.parse::<u64>().ok());
        if let Some(last) = numbers.max() {
            claims.next = last;
            claims.catch_up()?;
        }
        claims.learn_done()?;
        Ok(claims)
    }

    /// Follows the claims that there are.
    fn catch_up(&mut self) -> io::Result<()> {
        while let Some(owner) = Self::owner_in(&self.layout.claims(&self.next.to_string()))? {
            self.next += 1;
            self.start = owner.tasks.end;
        }
        Ok(())
    }

    fn owner_in(path: &Path) -> io::Result<Option<ClaimOwner>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text?,
        };
        let not_understood = || io::Error::other(format!("{} is not understood", path.display()));
        ClaimOwner::parse(&text).map(Some).ok_or_else(not_understood)
    }

    /// Puts `text` at `path`, where nothing is; `false` where there is something.
    fn link(&mut self, path: &Path, owner: &ClaimOwner) -> io::Result<bool> {
        self.n_temporaries += 1;
        // Beside it: some file systems link within one folder only.
        let temporary = path.with_file_name(format!(".{}.{}", self.worker, self.n_temporaries));
        let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
        file.write_all(owner.text().as_bytes())?;
        drop(file);
        let linked = match fs::hard_link(&temporary, path) {
            Ok(()) => Ok(true),
            // A reply that was lost on its way is not a race that was.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                fs::metadata(&temporary).map(|data| data.nlink() == 2)
            }
            Err(error) => Err(error),
        };
        fs::remove_file(&temporary)?;
        linked
    }

    fn mine(&self, tasks: Range<u64>, lost: u32) -> ClaimOwner {
        ClaimOwner { tasks, worker: self.worker.clone(), lost }
    }

    /// Claims at most `most` of the first `tasks` tasks that nobody has claimed; `None`
    /// where all are.
    pub(super) fn claim(&mut self, most: u64, tasks: u64) -> io::Result<Option<Claimed>> {
        loop {
            self.catch_up()?;
            if self.start >= tasks {
                return Ok(None);
            }
            let range = self.start..tasks.min(self.start.saturating_add(most.max(1)));
            let path = self.layout.claims(&self.next.to_string());
            if !self.link(&path, &self.mine(range.clone(), 0))? {
                continue;
            }
            let item = WorkItem::Claim(self.next);
            (self.next, self.start) = (self.next + 1, range.end);
            return Ok(Some(Claimed {
                item,
                tasks: range,
                former: Vec::new(),
                elsewhere: Vec::new(),
                lost: 0,
            }));
        }
    }

    /// How many of the first `tasks` tasks nobody has claimed, as far as is known.
    pub(super) fn unclaimed(&self, tasks: u64) -> u64 {
        tasks.saturating_sub(self.start)
    }

    /// Gives tasks back of what was claimed; `lost` counts how often they had begun.
    pub(super) fn give_back(&mut self, tasks: Range<u64>, lost: u32) -> io::Result<()> {
        let Range { start, end } = tasks;
        let freed = self.mine(tasks, lost);
        // The same may be given back again.
        for again in 0_u32.. {
            let by = if again == 0 { self.worker.clone() } else { format!("{}+{again}", self.worker) };
            let path = self.layout.free(&WorkItem::Freed { start, end, by }.to_string());
            if self.link(&path, &freed)? {
                break;
            }
        }
        Ok(())
    }

    /// All of `item` is recorded or was given back.
    pub(super) fn finish(&mut self, item: &WorkItem) -> io::Result<()> {
        mark(&self.layout.done(&item.to_string()))?;
        self.done.insert(item.clone());
        Ok(())
    }

    fn learn_done(&mut self) -> io::Result<()> {
        let names = self.layout.names("done")?;
        self.done.extend(names.iter().filter_map(|name| WorkItem::parse(name)).map(|(item, _)| item));
        Ok(())
    }

    /// All owners of items that are not done, in their order; none of what was given back
    /// and nobody took.
    fn unfinished(&mut self) -> io::Result<BTreeMap<WorkItem, Vec<Option<ClaimOwner>>>> {
        self.learn_done()?;
        self.catch_up()?;
        let mut found: BTreeMap<WorkItem, Vec<Option<ClaimOwner>>> = BTreeMap::new();
        for folder in ["claims", "free"] {
            let names = self.layout.names(folder)?;
            let mut items: Vec<_> = names.iter().filter_map(|name| WorkItem::parse(name)).collect();
            items.retain(|(item, _)| !self.done.contains(item));
            items.sort();
            for (item, generation) in items {
                let mut name = item.to_string();
                if generation > 0 {
                    let _ = write!(name, ".{generation}");
                }
                let Some(owner) = Self::owner_in(&self.layout.path(folder).join(&name))? else { continue };
                // The first one of what was given back has it no more.
                let is_owner = folder == "claims" || generation > 0;
                let owners = found.entry(item).or_default();
                if owners.len() == generation as usize {
                    owners.push(Some(owner).filter(|_| is_owner));
                }
            }
        }
        Ok(found)
    }

    /// Takes over something that nobody does any more: given back, or of a worker that `is_gone`.
    /// What is left says whether anything is not done.
    pub(super) fn take_over(&mut self, mut is_gone: impl FnMut(&str) -> bool) -> io::Result<TakeOver> {
        let unfinished = self.unfinished()?;
        if unfinished.is_empty() {
            return Ok(TakeOver::NothingLeft);
        }
        for (item, owners) in &unfinished {
            let newest = owners.last().and_then(Option::as_ref);
            if newest.is_some_and(|owner| owner.worker == self.worker || !is_gone(&owner.worker)) {
                continue;
            }
            let (folder, tasks, lost) = match item {
                WorkItem::Claim(_) => {
                    let Some(first) = owners.first().and_then(Option::as_ref) else { continue };
                    ("claims", first.tasks.clone(), first.lost)
                }
                WorkItem::Freed { start, end, .. } => {
                    let freed = Self::owner_in(&self.layout.free(&item.to_string()))?;
                    ("free", *start..*end, freed.map_or(0, |freed| freed.lost))
                }
            };
            let path = self.layout.path(folder).join(format!("{item}.{}", owners.len()));
            if !self.link(&path, &self.mine(tasks.clone(), lost))? {
                continue;
            }
            let former: Vec<String> = owners.iter().flatten().map(|owner| owner.worker.clone()).collect();
            let elsewhere = self.given_back(item, &tasks, &former)?;
            return Ok(TakeOver::Taken(Claimed { item: item.clone(), tasks, former, elsewhere, lost }));
        }
        Ok(TakeOver::OthersWork)
    }

    /// What those who had `item` gave back of it: items of their own by now.
    fn given_back(
        &self,
        item: &WorkItem,
        tasks: &Range<u64>,
        former: &[String],
    ) -> io::Result<Vec<Range<u64>>> {
        let names = self.layout.names("free")?;
        let parsed = names.iter().filter_map(|name| WorkItem::parse(name));
        let freed = parsed.filter(|(other, generation)| *generation == 0 && other != item);
        let within = freed.filter_map(|(other, _)| match other {
            WorkItem::Freed { start, end, by } => {
                let by = by.split('+').next().unwrap_or_default();
                former.iter().any(|worker| worker == by).then_some(start..end)
            }
            WorkItem::Claim(_) => None,
        });
        Ok(within.filter(|range| range.start >= tasks.start && range.end <= tasks.end).collect())
    }
}

/// What came of looking for something to be taken over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TakeOver {
    /// This is the worker's now.
    Taken(Claimed),
    /// What is not done is in good hands.
    OthersWork,
    /// All that was claimed is done.
    NothingLeft,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::sync::Mutex;

    fn layout(folder: &tempfile::TempDir) -> RunLayout {
        RunLayout::create(&folder.path().join("run")).unwrap()
    }

    #[test]
    fn names_and_owners_are_read_back() {
        for item in [WorkItem::Claim(7), WorkItem::Freed { start: 3, end: 9, by: "4r1".to_owned() }] {
            assert_eq!(WorkItem::parse(&item.to_string()), Some((item.clone(), 0)));
            assert_eq!(WorkItem::parse(&format!("{item}.12")), Some((item, 12)));
        }
        assert_eq!(WorkItem::parse("3-x"), None);
        let owner = ClaimOwner { tasks: 3..8, worker: "1r0".to_owned(), lost: 2 };
        assert_eq!(ClaimOwner::parse(&owner.text()), Some(owner));
        assert_eq!(ClaimOwner::parse("3 8 1r0 2"), None);
    }

    #[test]
    fn what_was_given_back_is_its_own_and_not_done_twice_by_who_takes_over() {
        let folder = tempfile::tempdir().unwrap();
        let layout = layout(&folder);
        let mut one = Claims::new(&layout, "0r0").unwrap();
        let claimed = one.claim(10, 30).unwrap().unwrap();
        assert_eq!(claimed.tasks, 0..10);
        one.give_back(6..10, 1).unwrap();
        let mut other = Claims::new(&layout, "1r0").unwrap();
        assert_eq!(other.claim(10, 15).unwrap().unwrap().tasks, 10..15);
        assert_eq!(other.claim(10, 15).unwrap(), None);
        // What is free comes before anybody is gone.
        let TakeOver::Taken(freed) = other.take_over(|_| false).unwrap() else { panic!("nothing was free") };
        assert_eq!((freed.tasks, freed.lost, freed.former), (6..10, 1, vec![]));
        assert_eq!(other.take_over(|_| false).unwrap(), TakeOver::OthersWork);
        let TakeOver::Taken(taken) = other.take_over(|worker| worker == "0r0").unwrap() else {
            panic!("nobody was gone")
        };
        assert_eq!((taken.tasks, taken.former), (0..10, vec!["0r0".to_owned()]));
        assert!(matches!(&taken.elsewhere[..], [range] if *range == (6..10)));
        other.finish(&taken.item).unwrap();
        other.finish(&freed.item).unwrap();
        let mut third = Claims::new(&layout, "2r0").unwrap();
        let TakeOver::Taken(last) = third.take_over(|_| true).unwrap() else { panic!("all were done") };
        assert_eq!(last.tasks, 10..15);
        third.finish(&last.item).unwrap();
        assert_eq!(third.take_over(|_| true).unwrap(), TakeOver::NothingLeft);
    }

    fn at(number: u64) -> usize {
        usize::try_from(number).unwrap()
    }

    /// Workers that do tasks until they are killed in the middle of one claim or another;
    /// what each recorded, by task.
    fn race(tasks: u64, workers: u64, deaths: &[u64]) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let layout = layout(&folder);
        let recorded: Mutex<Vec<Vec<String>>> = Mutex::new(vec![Vec::new(); at(tasks)]);
        let (dead, n_workers): (Mutex<HashSet<String>>, _) = (Mutex::default(), AtomicU64::new(0));
        let work = |worker: &str, mut life: u64| -> bool {
            let mut claims = Claims::new(&layout, worker).unwrap();
            loop {
                let claimed = match claims.claim(3, tasks).unwrap() {
                    Some(claimed) => claimed,
                    None => match claims.take_over(|owner| dead.lock().contains(owner)).unwrap() {
                        TakeOver::Taken(claimed) => claimed,
                        TakeOver::OthersWork => {
                            std::thread::yield_now();
                            continue;
                        }
                        TakeOver::NothingLeft => return true,
                    },
                };
                let mut rest = claimed.tasks.clone();
                while let Some(task) = rest.next() {
                    let is_elsewhere = claimed.elsewhere.iter().any(|range| range.contains(&task));
                    let was_done =
                        recorded.lock()[at(task)].iter().any(|worker| claimed.former.contains(worker));
                    if !is_elsewhere && !was_done {
                        if life == 0 {
                            dead.lock().insert(worker.to_owned());
                            return false;
                        }
                        life -= 1;
                        recorded.lock()[at(task)].push(worker.to_owned());
                        // Some do not finish what they have.
                        if life % 5 == 3
                            && claimed.elsewhere.is_empty()
                            && !rest.is_empty()
                            && claimed.former.is_empty()
                        {
                            claims.give_back(rest.clone(), 0).unwrap();
                            rest = rest.end..rest.end;
                        }
                    }
                }
                claims.finish(&claimed.item).unwrap();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        let number = n_workers.fetch_add(1, Ordering::SeqCst);
                        let life = deaths.get(at(number)).copied().unwrap_or(u64::MAX);
                        if work(&format!("{number}r0"), life) {
                            break;
                        }
                    }
                });
            }
        });
        recorded.into_inner()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_task_is_done_once_however_workers_die(
            tasks in 0_u64..60, workers in 1_u64..5, deaths in prop::collection::vec(0_u64..12, 0..12)
        ) {
            for (task, by) in race(tasks, workers, &deaths).iter().enumerate() {
                prop_assert_eq!(by.len(), 1, "task {} was done by {:?}", task, by);
            }
        }
    }
}
