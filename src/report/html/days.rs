//! How often services were up, day by day: a strip for each.

use super::{PagePart, wide_picture};
use crate::moment::Moment;
use crate::numbers;
use crate::study::{History, ServiceDay, ServiceHistory};
use crate::svg::{Anchor, Svg};
use crate::text::{printable, shortened};

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = WIDTH - 70.0;
const TOP: f64 = 40.0;
const STRIP: f64 = 20.0;
const BETWEEN: f64 = 8.0;

/// So many services have a strip.
const MOST: usize = 200;

/// Characters of a service's name.
const LONGEST: usize = 34;

/// So many dates stand above the strips.
const DATES: i64 = 5;

/// Strips of all services of `history`, the first ones where there are many.
pub(super) fn strips(history: &History) -> Option<PagePart> {
    let (first, last) = history.checked()?;
    let days = first.day()..last.day() + 1;
    let n_days = (days.end - days.start) as f64;
    let x = |day: i64| LEFT + (RIGHT - LEFT) * (day - days.start) as f64 / n_days;
    let shown = &history.services[..history.services.len().min(MOST)];
    let height = TOP + shown.len() as f64 * (STRIP + BETWEEN);
    let mut svg = Svg::new(WIDTH, height, "how often each service was up, day by day");
    let legend = Share::ALL.map(|share| (share.class(), share.about().to_owned()));
    svg.legend(12.0, &legend);
    let step = ((days.end - days.start) / DATES).max(1);
    for day in days.clone().step_by(usize::try_from(step).unwrap_or(1)) {
        svg.text("", (x(day), TOP - 6.0), Anchor::Start, &Moment::of_seconds(day * 86_400).date());
    }
    for (service, number) in shown.iter().zip(0_u32..) {
        let y = TOP + f64::from(number) * (STRIP + BETWEEN);
        let middle = y + STRIP / 2.0 + 4.0;
        svg.text("", (LEFT - 8.0, middle), Anchor::End, &shortened(&printable(service.label()), LONGEST));
        svg.text("", (RIGHT + 6.0, middle), Anchor::Start, &numbers::availability(service.availability()));
        for run in runs(service) {
            let (from, to) = (x(run.from), x(run.to + 1));
            // A day that is not good is seen, however many there are.
            let width = (to - from).max(if run.share == Share::All { 0.5 } else { 2.0 });
            svg.rect_with_title(run.share.class(), [from, y, width, STRIP], &run.title(service));
        }
    }
    let left_out = history.services.len() - shown.len();
    let about = match left_out {
        0 => "A day is as good as the share of its checks that found the service up.".to_owned(),
        _ => format!("The first {MOST} services; {} more are in the table.", numbers::count(left_out as u64)),
    };
    Some(wide_picture("Day by day", &about, svg))
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
