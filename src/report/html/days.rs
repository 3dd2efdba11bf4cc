//! How often services were up, day by day: a strip for each.

use super::legend::NamedSwatch;
use super::strip::{STEP, STRIP, head};
use super::{PagePart, picture};
use crate::moment::Moment;
use crate::numbers;
use crate::study::{History, ServiceDay, ServiceHistory};
use crate::svg::{Anchor, Svg};

/// So many services have a strip.
const MOST: usize = 200;

/// Room for the dates above all strips.
const TOP: f64 = 20.0;

/// A day that is not good is seen, however many there are: in per cent of the width.
const NARROWEST: f64 = 0.25;

/// Strips of all services of `history`, the first ones where there are many.
pub(super) fn strips(history: &History) -> Option<PagePart> {
    let (first, last) = history.checked()?;
    let days = first.day()..last.day() + 1;
    let n_days = (days.end - days.start) as f64;
    let x = |day: i64| 100.0 * (day - days.start) as f64 / n_days;
    let shown = &history.services[..history.services.len().min(MOST)];
    let height = TOP + shown.len() as f64 * STEP;
    let mut svg = Svg::fluid("plot bare", height, "how often each service was up, day by day");
    svg.text("tick", (0.0, TOP - 6.0), Anchor::Start, &first.date());
    if n_days > 1.0 {
        svg.text("tick", (100.0, TOP - 6.0), Anchor::End, &last.date());
    }
    for (service, number) in shown.iter().zip(0_u32..) {
        let top = TOP + f64::from(number) * STEP;
        let (up, checks) = service.checks();
        let share = numbers::availability(up, checks);
        let top = head(&mut svg, top, service.label(), service.verdict.is_up(), &share);
        for run in runs(service) {
            let (from, to) = (x(run.from), x(run.to + 1));
            let width = (to - from).max(if run.share == Share::All { 0.0 } else { NARROWEST });
            let place = [from, top, width, STRIP];
            svg.rect_with_title(run.share.class(), place, &run.title(service));
        }
    }
    let about = match history.services.len() - shown.len() {
        0 => "Each day by the share of its checks that found the service up.".to_owned(),
        more => format!("The first {MOST} services; {} more are in the table.", numbers::count(more as u64)),
    };
    let entries = Share::ALL.map(|share| NamedSwatch::area(share.class(), share.about()));
    Some(PagePart::Wide(picture("Day by day", &about, &entries, svg)))
}

/// How much of a day a service was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    All,
    Nearly,
    Some,
    None,
}

impl Share {
    const ALL: [Self; 4] = [Self::All, Self::Nearly, Self::Some, Self::None];

    fn of(day: ServiceDay) -> Self {
        match (day.up, day.checks) {
            (up, checks) if up == checks => Self::All,
            (0, _) => Self::None,
            (up, checks) if f64::from(up) >= 0.95 * f64::from(checks) => Self::Nearly,
            _ => Self::Some,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::All => "up-all",
            Self::Nearly => "up-nearly",
            Self::Some => "up-some",
            Self::None => "up-none",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::All => "up all day",
            Self::Nearly => "95 % or more",
            Self::Some => "less",
            Self::None => "never",
        }
    }
}

/// Days one after another that are drawn as one.
struct Run {
    from: i64,
    to: i64,
    share: Share,
    total: ServiceDay,
}

impl Run {
    fn title(&self, service: &ServiceHistory) -> String {
        let date = |day: i64| Moment::of_seconds(day * 86_400).date();
        let days = if self.from == self.to {
            date(self.from)
        } else {
            format!("{} to {}", date(self.from), date(self.to))
        };
        let ServiceDay { checks, up } = self.total;
        format!("{}\n{days}: up in {up} of {}", service.label(), numbers::plural(u64::from(checks), "check"))
    }
}

fn runs(service: &ServiceHistory) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (&day, &total) in &service.days {
        let share = Share::of(total);
        match runs.last_mut() {
            // A day that is not good stands for itself.
            Some(last) if share == Share::All && last.share == share && last.to + 1 == day => {
                last.to = day;
                last.total.checks = last.total.checks.saturating_add(total.checks);
                last.total.up = last.total.up.saturating_add(total.up);
            }
            _ => runs.push(Run { from: day, to: day, share, total }),
        }
    }
    runs
}
