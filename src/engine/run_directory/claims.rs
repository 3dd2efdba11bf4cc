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
use std::time::{Duration, Instant};

use super::layout::{RunLayout, mark, private};

/// File systems show what others made so much later at most.
pub(super) const UNSEEN: Duration = Duration::from_secs(90);

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
    /// What they were a part of, where they were given back.
    part_of: Option<WorkItem>,
}

impl ClaimOwner {
    fn text(&self) -> String {
        let Self { tasks, worker, lost, part_of } = self;
        let whole = part_of.as_ref().map_or_else(String::new, |item| format!(" {item}"));
        format!("{} {} {worker} {lost}{whole}\n", tasks.start, tasks.end)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n')?.split(' ');
        let (start, end) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let (worker, lost) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        let part_of = words.next().map(|item| WorkItem::parse(item).map(|(item, _)| item));
        let part_of = match part_of {
            Some(item) => Some(item?),
            None => None,
        };
        Some(Self { tasks: start..end, worker, lost, part_of })
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

/// What came of a try to have something.
#[derive(Debug)]
enum Linked {
    Ours,
    /// Somebody was first.
    Theirs,
    /// Somebody seems to have been first, and that is not seen here yet.
    Unseen(io::Error),
}

/// What it means that `temporary` could not be linked to `path`.
fn refused(error: io::Error, path: &Path, temporary: &Path) -> io::Result<Linked> {
    // A reply that was lost on its way is not a race that was.
    if fs::metadata(temporary).is_ok_and(|data| data.nlink() == 2) {
        return Ok(Linked::Ours);
    }
    match error.kind() {
        io::ErrorKind::AlreadyExists => Ok(Linked::Theirs),
        // SFTP knows no other error: sshfs says this, and sees what others made seconds later.
        io::ErrorKind::PermissionDenied if path.exists() => Ok(Linked::Theirs),
        io::ErrorKind::PermissionDenied => Ok(Linked::Unseen(error)),
        _ => Err(error),
    }
}

/// The claims of a run directory, as one worker sees them and takes part.
pub(super) struct Claims {
    layout: RunLayout,
    worker: String,
    /// The next claim that there may not be yet, and where it begins.
    next: u64,
    start: u64,
    n_temporaries: u64,
    /// Since when a claim that others have is not seen.
    unseen_since: Option<Instant>,
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
            unseen_since: None,
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

    /// Puts what `owner` says at `path`, where nothing is.
    fn link(&mut self, path: &Path, owner: &ClaimOwner) -> io::Result<Linked> {
        self.n_temporaries += 1;
        // Beside it: some file systems link within one folder only.
        let temporary = path.with_file_name(format!(".{}.{}", self.worker, self.n_temporaries));
        let mut file = private().write(true).create(true).truncate(true).open(&temporary)?;
        file.write_all(owner.text().as_bytes())?;
        drop(file);
        let linked = fs::hard_link(&temporary, path)
            .map(|()| Linked::Ours)
            .or_else(|error| refused(error, path, &temporary));
        fs::remove_file(&temporary)?;
        linked
    }

    fn mine(&self, tasks: Range<u64>, lost: u32) -> ClaimOwner {
        ClaimOwner { tasks, worker: self.worker.clone(), lost, part_of: None }
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
            match self.link(&path, &self.mine(range.clone(), 0))? {
                Linked::Ours => self.unseen_since = None,
                Linked::Theirs => continue,
                Linked::Unseen(error) => {
                    let since = self.unseen_since.get_or_insert_with(Instant::now);
                    return if since.elapsed() < UNSEEN { Ok(None) } else { Err(error) };
                }
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

    /// Gives `tasks` of `item` back; `lost` counts how often they had begun.
    pub(super) fn give_back(&mut self, item: &WorkItem, tasks: Range<u64>, lost: u32) -> io::Result<()> {
        let Range { start, end } = tasks;
        let freed = ClaimOwner { part_of: Some(item.clone()), ..self.mine(tasks, lost) };
        // The same may be given back again.
        for again in 0_u32.. {
            let by = if again == 0 { self.worker.clone() } else { format!("{}+{again}", self.worker) };
            let path = self.layout.free(&WorkItem::Freed { start, end, by }.to_string());
            match self.link(&path, &freed)? {
                Linked::Ours => break,
                Linked::Theirs => {}
                // Nobody else gives such names.
                Linked::Unseen(error) => return Err(error),
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
            if !matches!(self.link(&path, &self.mine(tasks.clone(), lost))?, Linked::Ours) {
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
        let mut ranges = Vec::new();
        for name in self.layout.names("free")? {
            let Some((WorkItem::Freed { start, end, by }, 0)) = WorkItem::parse(&name) else { continue };
            let by = by.split('+').next().unwrap_or_default();
            let may_be = former.iter().any(|worker| worker == by) && start >= tasks.start && end <= tasks.end;
            // The same worker may have had the same tasks as a part of something else, which
            // somebody has done with.
            if may_be
                && Self::owner_in(&self.layout.free(&name))?
                    .is_some_and(|freed| freed.part_of.as_ref() == Some(item))
            {
                ranges.push(start..end);
            }
        }
        Ok(ranges)
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
mod tests;
