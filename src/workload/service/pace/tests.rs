//! When requests leave, at made-up times.

use proptest::prelude::*;

use super::*;

fn pace(most_pauses: u32) -> HostPace {
    HostPace::new(&PaceOptions { rate: Some(5.0) }, most_pauses).unwrap()
}

fn put(pace: &HostPace, host: &str, ticket: Option<u64>, about: PaceTopic, now: Duration) -> PaceAnswer {
    pace.answer_at(PaceQuestion { host: host.to_owned(), ticket, about }, now)
}

fn leave(pace: &HostPace, ticket: Option<u64>, now: u64) -> PaceAnswer {
    put(pace, "h", ticket, PaceTopic::Leave { interval: 0.2 }, millis(now))
}

fn came(pace: &HostPace, ticket: u64, reception: Reception, now: u64) -> PaceAnswer {
    put(pace, "h", Some(ticket), PaceTopic::Came(reception, "h/tap".to_owned()), millis(now))
}

fn millis(time: u64) -> Duration {
    Duration::from_millis(time)
}

const DENIED: Reception = Reception::Denied(None);

#[test]
fn requests_to_a_host_leave_evenly_spaced_whoever_comes_first() {
    let pace = pace(2);
    assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
    assert_eq!(leave(&pace, None, 0), PaceAnswer::Wait(millis(200), 1));
    assert_eq!(leave(&pace, None, 50), PaceAnswer::Wait(millis(350), 2));
    assert_eq!(put(&pace, "other", None, PaceTopic::Leave { interval: 0.2 }, millis(60)), PaceAnswer::Go(0));
    assert_eq!(leave(&pace, Some(1), 200), PaceAnswer::Go(1));
    // Late by a little, the grid is kept as far as that can be; nobody catches up.
    assert_eq!(leave(&pace, Some(2), 415), PaceAnswer::Go(2));
    assert_eq!(leave(&pace, None, 500), PaceAnswer::Wait(millis(111), 3));
    assert_eq!(leave(&pace, None, 510), PaceAnswer::Wait(millis(290), 4));
    assert_eq!(leave(&pace, Some(3), 790), PaceAnswer::Go(3));
    assert_eq!(leave(&pace, Some(4), 800), PaceAnswer::Wait(millis(186), 4));
    assert_eq!(leave(&pace, Some(4), 986), PaceAnswer::Go(4));
}

#[test]
fn a_host_that_refuses_is_given_pauses_and_then_left_alone() {
    let pace = pace(2);
    assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
    assert_eq!(came(&pace, 0, Reception::Answered, 100), PaceAnswer::Noted);
    assert_eq!(leave(&pace, None, 200), PaceAnswer::Go(1));
    assert_eq!(leave(&pace, None, 400), PaceAnswer::Go(2));
    assert_eq!(leave(&pace, None, 410), PaceAnswer::Wait(millis(190), 3));
    assert_eq!(came(&pace, 1, DENIED, 500), PaceAnswer::Refused);
    // It left before the pause: no news.
    assert_eq!(came(&pace, 2, Reception::Broken, 550), PaceAnswer::Refused);
    assert_eq!(leave(&pace, Some(3), 600), PaceAnswer::Wait(millis(1900), 4));
    assert_eq!(leave(&pace, Some(4), 2500), PaceAnswer::Go(4));
    assert_eq!(came(&pace, 4, DENIED, 2600), PaceAnswer::Refused);
    assert_eq!(leave(&pace, None, 2700), PaceAnswer::Wait(millis(3900), 5));
    assert_eq!(leave(&pace, Some(5), 6600), PaceAnswer::Go(5));
    assert_eq!(came(&pace, 5, DENIED, 6700), PaceAnswer::Refused);
    assert!(matches!(leave(&pace, None, 6800), PaceAnswer::No(_)));
}

#[test]
fn a_pause_is_as_long_as_the_host_says_unless_that_is_too_long() {
    let pace = pace(2);
    let wanted = |seconds| Reception::Denied(Some(Duration::from_secs(seconds)));
    assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
    assert_eq!(came(&pace, 0, wanted(1), 0), PaceAnswer::Refused);
    assert_eq!(leave(&pace, None, 0), PaceAnswer::Wait(millis(1000), 1));
    assert_eq!(leave(&pace, Some(1), 1000), PaceAnswer::Go(1));
    assert_eq!(came(&pace, 1, Reception::Answered, 1100), PaceAnswer::Noted);
    assert_eq!(leave(&pace, None, 1200), PaceAnswer::Go(2));
    assert_eq!(came(&pace, 2, wanted(3600), 1300), PaceAnswer::Refused);
    let PaceAnswer::No(why) = leave(&pace, None, 1400) else { panic!("it is asked") };
    assert_eq!(why, "it wants to be left alone for 3600 s");
}

#[test]
fn why_a_host_is_asked_no_more_is_true_however_many_pauses_it_was_given() {
    for (most, why) in [
        (0, "it refused a request, and --retries 0 leaves no other try"),
        (1, "it went on refusing requests after a pause"),
        (9, "it went on refusing requests after 9 pauses"),
    ] {
        let pace = pace(most);
        let mut now = 0;
        let mut ticket = None;
        // No pause of its own is longer than a minute.
        for pause in [2, 4, 8, 16, 32, 60, 60, 60, 60].into_iter().take(most as usize) {
            let PaceAnswer::Go(left) = leave(&pace, ticket, now) else { panic!("it is not asked") };
            assert_eq!(came(&pace, left, DENIED, now), PaceAnswer::Refused);
            let PaceAnswer::Wait(wait, next) = leave(&pace, None, now) else { panic!("no pause") };
            assert_eq!(wait, Duration::from_secs(pause));
            (now, ticket) = (now + pause * 1000, Some(next));
        }
        let PaceAnswer::Go(left) = leave(&pace, ticket, now) else { panic!("it is not asked") };
        assert_eq!(came(&pace, left, DENIED, now), PaceAnswer::Refused);
        assert_eq!(leave(&pace, None, now), PaceAnswer::No(why.to_owned()));
    }
}

#[test]
fn a_rate_that_makes_no_sense_is_refused() {
    for rate in [0.0, -1.0, 1e-30, f64::MIN_POSITIVE, 1e7, f64::INFINITY, f64::NAN] {
        assert!(HostPace::new(&PaceOptions { rate: Some(rate) }, 2).is_err(), "{rate}");
    }
    // The slowest that makes sense can be waited for by many.
    let pace = HostPace::new(&PaceOptions { rate: Some(1e-5) }, 2).unwrap();
    let slow = || put(&pace, "h", None, PaceTopic::Leave { interval: 1e5 }, Duration::ZERO);
    assert!((0..1000).map(|_| slow()).last().is_some_and(|last| matches!(last, PaceAnswer::Wait(..))));
}

#[test]
fn a_host_that_never_answered_does_not_refuse_by_being_away() {
    let pace = pace(2);
    assert_eq!(leave(&pace, None, 0), PaceAnswer::Go(0));
    assert_eq!(came(&pace, 0, Reception::Broken, 100), PaceAnswer::Noted);
    assert_eq!(leave(&pace, None, 200), PaceAnswer::Go(1));
}

proptest! {
    #[test]
    fn never_more_than_six_leave_in_a_second(comes in prop::collection::vec(0_u64..900, 1..60), late in prop::collection::vec(0_u64..150, 60)) {
        let pace = pace(2);
        let mut waiting: Vec<(u64, Option<u64>)> = Vec::new();
        let mut now = 0;
        waiting.extend(comes.iter().map(|gap| { now += gap / 3; (now, None) }));
        let (mut left, mut late) = (Vec::new(), late.into_iter().cycle());
        while let Some(next) = (0..waiting.len()).min_by_key(|&at| waiting[at].0) {
            let (at, ticket) = waiting.swap_remove(next);
            match leave(&pace, ticket, at) {
                PaceAnswer::Go(_) => left.push(at),
                PaceAnswer::Wait(time, ticket) => {
                    let wait = u64::try_from(time.as_millis()).unwrap() + 1;
                    waiting.push((at + wait + late.next().unwrap(), Some(ticket)));
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(left.len(), comes.len());
        for (at, first) in left.iter().enumerate() {
            prop_assert!(left[at..].iter().filter(|other| **other <= first + 1000).count() <= 6, "{left:?}");
        }
    }
}
