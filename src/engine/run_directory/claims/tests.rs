//! Claims that are read back, taken over, given back, and raced for by workers that die.

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
    let owner = ClaimOwner { tasks: 3..8, worker: "1r0".to_owned(), lost: 2, part_of: None };
    let freed = ClaimOwner { part_of: Some(WorkItem::Claim(4)), ..owner.clone() };
    for owner in [owner, freed] {
        assert_eq!(ClaimOwner::parse(&owner.text()), Some(owner));
    }
    assert_eq!(ClaimOwner::parse("3 8 1r0 2"), None);
}

#[test]
fn what_was_given_back_is_its_own_and_not_done_twice_by_who_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let layout = layout(&folder);
    let mut one = Claims::new(&layout, "0r0").unwrap();
    let claimed = one.claim(10, 30).unwrap().unwrap();
    assert_eq!(claimed.tasks, 0..10);
    one.give_back(&claimed.item, 6..10, 1).unwrap();
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

#[test]
fn what_was_given_back_whole_and_came_round_again_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let layout = layout(&folder);
    let mut workers = ["0r0", "1r0", "2r0"].map(|name| Claims::new(&layout, name).unwrap());
    let taken = |claims: &mut Claims, gone: &str| match claims.take_over(|worker| worker == gone).unwrap() {
        TakeOver::Taken(claimed) => claimed,
        other => panic!("{other:?}"),
    };
    // From the first worker to the second and back, and then the first one dies.
    let claimed = workers[0].claim(4, 4).unwrap().unwrap();
    workers[0].give_back(&claimed.item, 0..4, 0).unwrap();
    workers[0].finish(&claimed.item).unwrap();
    let freed = taken(&mut workers[1], "nobody");
    workers[1].give_back(&freed.item, 0..4, 0).unwrap();
    workers[1].finish(&freed.item).unwrap();
    assert_eq!(taken(&mut workers[0], "nobody").tasks, 0..4);
    let last = taken(&mut workers[2], "0r0");
    assert_eq!((last.tasks, last.elsewhere), (0..4, Vec::new()));
}

#[test]
fn a_link_that_others_were_first_with_may_be_refused_in_other_words() {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, theirs) = (folder.path().join("temporary"), folder.path().join("theirs"));
    for path in [&temporary, &theirs] {
        std::fs::write(path, "").unwrap();
    }
    let denied = || io::Error::from_raw_os_error(1);
    assert!(matches!(refused(denied(), &theirs, &temporary), Ok(Linked::Theirs)));
    let unseen = folder.path().join("unseen");
    assert!(matches!(refused(denied(), &unseen, &temporary), Ok(Linked::Unseen(_))));
    assert!(refused(io::Error::from_raw_os_error(28), &unseen, &temporary).is_err());
    // A reply that was lost.
    std::fs::hard_link(&temporary, &unseen).unwrap();
    assert!(matches!(refused(denied(), &unseen, &temporary), Ok(Linked::Ours)));
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
                let was_done = recorded.lock()[at(task)].iter().any(|worker| claimed.former.contains(worker));
                if !is_elsewhere && !was_done {
                    if life == 0 {
                        dead.lock().insert(worker.to_owned());
                        return false;
                    }
                    life -= 1;
                    recorded.lock()[at(task)].push(worker.to_owned());
                    // Some do not finish what they have.
                    if life % 5 == 3 && claimed.elsewhere.is_empty() && !rest.is_empty() {
                        claims.give_back(&claimed.item, rest.clone(), 0).unwrap();
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
