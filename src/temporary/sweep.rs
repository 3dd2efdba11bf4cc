//! What killed runs left in a folder is removed by the next run that writes there.
//!
//! | who made it | a file under a lock | lent, and folders |
//! |---|---|---|
//! | is alive | stays | stays |
//! | is dead, or of an earlier boot | goes, unless somebody holds it | goes |
//! | cannot be looked up | goes if it is old and nobody holds it | stays |
//! | of another host | stays, and is counted | stays, and is counted |
//!
//! Where a file system has no locks, nothing is got, and so nothing goes.

use crate::sync::Mutex;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::owner::{Owner, Standing};
use super::{Kind, parse};

/// Who cannot be looked up may be about to take the lock of a file it has just
/// made.
const OLD: Duration = Duration::from_secs(60);

/// So many folders are remembered; they are known by a hash.
const MOST_FOLDERS: usize = 1 << 16;

static LEAVES_ALL: AtomicBool = AtomicBool::new(false);
static LEFT: Mutex<Option<(PathBuf, u64)>> = Mutex::new(None);

/// From now on nothing is removed: whoever started this process has done that.
pub fn leave_all() {
    LEAVES_ALL.store(true, Ordering::Relaxed);
}

/// A folder with temporaries of other hosts, which stayed, and how many there are.
pub fn left_to_others() -> Option<(PathBuf, u64)> {
    LEFT.lock().clone()
}

/// Removes what killed runs left in `folder`, the first time it is asked.
pub fn sweep(folder: &Path) {
    if !LEAVES_ALL.load(Ordering::Relaxed) && is_new(folder) {
        each(folder, |path, name| remove_left(folder, &path, name));
    }
}

/// Nothing was left in `folder`, which has just been made.
pub fn take_for_empty(folder: &Path) {
    is_new(folder);
}

/// Removes what this process, which is about to end, has begun to write in `folder`.
pub fn remove_own(folder: &Path) {
    remove_if(folder, |owner| owner == *Owner::me());
}

/// Removes what `process`, which was this process's child and was killed, had
/// begun to write in `folder`.
pub fn remove_of(folder: &Path, process: u32) {
    remove_if(folder, |owner| owner.process == process && owner.standing() != Standing::Alive);
}

fn remove_if(folder: &Path, is_meant: impl Fn(Owner) -> bool) {
    each(folder, |path, name| {
        if parse(name).is_some_and(|(owner, _)| is_meant(owner)) {
            // Nothing better can be done with an error than to leave the file.
            let _ = fs::remove_file(path);
        }
    });
}

fn each(folder: &Path, mut take: impl FnMut(PathBuf, &str)) {
    // The folder of a mere name.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| name.starts_with('.')) {
            take(entry.path(), name);
        }
    }
}

/// Whether `folder` is none of those that were looked through.
fn is_new(folder: &Path) -> bool {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static KNOWN: Mutex<Option<HashSet<u64>>> = Mutex::new(None);
    let mut known = KNOWN.lock();
    let known = known.get_or_insert_default();
    if known.len() >= MOST_FOLDERS {
        // Memory stays flat; to look through a folder again costs time only.
        known.clear();
    }
    known.insert(KEY.hash_one(folder))
}

fn remove_left(folder: &Path, path: &Path, name: &str) {
    let Some((owner, kind)) = parse(name) else { return };
    // Errors leave things where they are: nobody asked for them to be removed.
    let _ = match (owner.standing(), kind) {
        (Standing::Alive, _) | (Standing::Unknown, Kind::Lent | Kind::Folder) => Ok(()),
        (Standing::OfAnotherHost, _) => {
            LEFT.lock().get_or_insert_with(|| (folder.to_owned(), 0)).1 += 1;
            Ok(())
        }
        (Standing::Dead, Kind::Locked) => remove_unheld(path, Duration::ZERO),
        (Standing::Unknown, Kind::Locked) => remove_unheld(path, OLD),
        (Standing::Dead, Kind::Lent) => fs::remove_file(path),
        (Standing::Dead, Kind::Folder) => remove_folder(path),
    };
}

/// Removes the file at `path`, whose last change is at least so `old`, where its
/// lock can be had.
fn remove_unheld(path: &Path, old: Duration) -> io::Result<()> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let held = file.metadata()?;
    let is_old = held.modified()?.elapsed().is_ok_and(|age| age >= old);
    if !held.is_file() || !(is_old || old.is_zero()) {
        return Ok(());
    }
    file.try_lock()?;
    // Whether it is still what the lock was got for.
    if is_at(&file, path)? { fs::remove_file(path) } else { Ok(()) }
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (held, named) = (file.metadata()?, fs::symlink_metadata(path)?);
    Ok((held.dev(), held.ino()) == (named.dev(), named.ino()))
}

/// A folder of somebody else's is not walked into.
fn remove_folder(path: &Path) -> io::Result<()> {
    let folder = fs::symlink_metadata(path)?;
    let is_ours = folder.is_dir() && folder.uid() == fs::metadata("/proc/self")?.uid();
    if is_ours { fs::remove_dir_all(path) } else { Ok(()) }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::ffi::OsString;
    use std::time::SystemTime;

    use super::*;
    use crate::temporary::fresh_name;

    type Change = fn(Owner) -> Owner;

    /// A name as `change` makes it of one of this process's.
    fn name(kind: Kind, change: impl Fn(Owner) -> Owner) -> OsString {
        let me = Owner::me();
        let name = fresh_name("x", kind).into_string().unwrap();
        name.replace(&me.to_string(), &change(*me).to_string()).into()
    }

    fn dead(owner: Owner) -> Owner {
        Owner { start: owner.start + 1, ..owner }
    }

    fn of_another_host(owner: Owner) -> Owner {
        Owner { boot: owner.boot ^ 1, host: owner.host ^ 1, ..owner }
    }

    fn of_another_namespace(owner: Owner) -> Owner {
        Owner { namespace: owner.namespace ^ 1, ..owner }
    }

    fn swept(paths: &[PathBuf]) -> Vec<bool> {
        sweep(paths[0].parent().unwrap());
        paths.iter().map(|path| fs::symlink_metadata(path).is_err()).collect()
    }

    #[test]
    fn what_the_dead_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: OsString| folder.path().join(name);
        let old = SystemTime::now() - 2 * OLD;
        let kinds = [Kind::Locked, Kind::Lent, Kind::Folder];
        let rows: [(Change, [bool; 3]); 5] = [
            (|owner| owner, [false; 3]),
            (dead, [true; 3]),
            (|owner| Owner { boot: owner.boot ^ 1, ..owner }, [true; 3]),
            (of_another_namespace, [true, false, false]),
            (of_another_host, [false; 3]),
        ];
        let mut paths = Vec::new();
        for (change, _) in &rows {
            for kind in kinds {
                let path = path(name(kind, change));
                if kind == Kind::Folder {
                    fs::create_dir(&path).unwrap();
                    fs::write(path.join("file"), "").unwrap();
                } else {
                    File::create(&path).unwrap().set_modified(old).unwrap();
                }
                paths.push(path);
            }
        }
        let others = [path(".x.csv.1-2.tmp".into()), path("x.csv".into()), path(".x.tmp".into())];
        for path in &others {
            fs::write(path, "").unwrap();
        }
        let expected: Vec<bool> = rows.iter().flat_map(|(_, gone)| *gone).collect();
        assert_eq!(swept(&paths), expected, "{paths:?}");
        assert!(others.iter().all(|path| path.exists()));
        let (_, count) = left_to_others().unwrap();
        assert!(count >= 3, "{count}");
    }

    #[test]
    fn what_somebody_holds_or_has_just_made_where_nobody_can_look_stays() {
        let folder = tempfile::tempdir().unwrap();
        let held = folder.path().join(name(Kind::Locked, dead));
        let file = File::create(&held).unwrap();
        file.lock().unwrap();
        let young = folder.path().join(name(Kind::Locked, of_another_namespace));
        fs::write(&young, "").unwrap();
        assert_eq!(swept(&[held, young]), [false, false]);
    }

    #[test]
    fn a_link_or_a_folder_with_the_name_of_a_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        fs::write(&target, "").unwrap();
        let link = folder.path().join(name(Kind::Locked, dead));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let sub = folder.path().join(name(Kind::Locked, dead));
        fs::create_dir(&sub).unwrap();
        assert_eq!(swept(&[link, sub]), [false, false]);
        assert!(target.exists());
    }

    #[test]
    fn a_folder_is_looked_through_once() {
        let folder = tempfile::tempdir().unwrap();
        sweep(folder.path());
        let left = folder.path().join(name(Kind::Locked, dead));
        fs::write(&left, "").unwrap();
        assert_eq!(swept(&[left]), [false]);
    }
}
