//! Names looked up before anything is searched: together, once, and each only once however
//! often it is given.

use std::collections::BTreeMap;

use super::targets::{Resolution, Target, TargetFault, TargetPlace};
use crate::process::Interrupt;
use crate::task::{ErrorClass, ServiceVerdict};
use crate::vo::{self, SesameTarget};
use crate::workload::service::{
    Attempt, HttpTransport, Reception, Service, class_of, fail, in_words, is_success, kept_by_proxy, read,
    status_line,
};

/// So many names are asked for in one request.
const TOGETHER: usize = 50;

/// A resolver that fails so often in a row is asked no more: one bad name among fifty makes
/// fewer requests fail.
const MOST_FAILURES: u32 = 10;

const ACCEPT: &str = "text/xml, application/xml;q=0.9, */*;q=0.1";

/// Looks up the names of `targets` with the first of `resolvers` that answers. Ends early,
/// and leaves names as they are, when the interrupt is set.
pub fn resolve(
    targets: &mut [Target],
    resolvers: &[Service],
    transport: &HttpTransport,
    interrupt: &Interrupt,
) {
    let mut names: BTreeMap<String, Option<Resolution>> =
        targets.iter().filter_map(|target| Some((target.name_to_resolve()?, None))).collect();
    let wanted: Vec<String> = names.keys().cloned().collect();
    let mut lookup = Lookup {
        resolvers: resolvers.iter().map(|service| Resolver { service, n_failures: 0, dead: None }).collect(),
        transport,
        interrupt,
    };
    for some in wanted.chunks(TOGETHER) {
        let Some(resolutions) = lookup.look_up(some) else { return };
        for (name, resolution) in some.iter().zip(resolutions) {
            names.insert(name.clone(), Some(resolution));
        }
    }
    for target in targets {
        let resolution = target.name_to_resolve().and_then(|name| names.get(&name)?.clone());
        if let Some(resolution) = resolution {
            target.place = TargetPlace::Named(resolution);
        }
    }
}

/// Who is asked about names, and how.
struct Lookup<'a> {
    resolvers: Vec<Resolver<'a>>,
    transport: &'a HttpTransport,
    interrupt: &'a Interrupt,
}

struct Resolver<'a> {
    service: &'a Service,
    /// How often it failed since it last answered.
    n_failures: u32,
    /// Why it is asked no more.
    dead: Option<TargetFault>,
}

impl Lookup<'_> {
    /// What becomes of each of `names`; `None` when interrupted. Where one of them spoils the
    /// answer for all, the others are asked for apart.
    fn look_up(&mut self, names: &[String]) -> Option<Vec<Resolution>> {
        let fault = match self.ask_one_of(names)? {
            Ok(found) => return Some(found),
            Err(fault) => fault,
        };
        if names.len() == 1 || self.resolvers.iter().all(|resolver| resolver.dead.is_some()) {
            return Some(vec![Resolution::Failed(fault); names.len()]);
        }
        let (one, other) = names.split_at(names.len() / 2);
        let mut found = self.look_up(one)?;
        found.extend(self.look_up(other)?);
        Some(found)
    }

    /// The same in one request to each resolver, until one answers; `Err`: none does.
    fn ask_one_of(&mut self, names: &[String]) -> Option<Result<Vec<Resolution>, TargetFault>> {
        let mut last =
            TargetFault { class: ErrorClass::UnknownName, why: "no name resolver is known".to_owned() };
        for resolver in &mut self.resolvers {
            if let Some(fault) = &resolver.dead {
                last = fault.clone();
                continue;
            }
            let mut found = Vec::new();
            let finding = self.transport.settle_here(resolver.service, self.interrupt, |attempt| {
                found = ask(resolver.service, names, attempt).unwrap_or_default();
            })?;
            if finding.verdict.is_up() {
                resolver.n_failures = 0;
                return Some(Ok(found.iter().map(resolution).collect()));
            }
            let class = finding.class.unwrap_or(ErrorClass::Http);
            let why = format!("the name resolver {}: {}", finding.url, finding.reason);
            last = TargetFault { class, why };
            resolver.n_failures += 1;
            if is_out_of_reach(&last.class) || resolver.n_failures >= MOST_FAILURES {
                resolver.dead = Some(last.clone());
            }
        }
        Some(Err(last))
    }
}

/// Whether no name could have any other answer, so that waiting for it again is of no use.
fn is_out_of_reach(class: &ErrorClass) -> bool {
    use ErrorClass::{Dns, Proxy, Rate, Redirect, Refused, Timeout, Tls};
    matches!(class, Dns | Proxy | Rate | Redirect | Refused | Timeout | Tls)
}

fn resolution(target: &SesameTarget) -> Resolution {
    match &target.found {
        Some(object) if object.dec.abs() > 90.0 => Resolution::Failed(TargetFault {
            class: ErrorClass::BadValue,
            why: format!("the name resolver has {:.100} at a declination of {}", target.name, object.dec),
        }),
        Some(object) => Resolution::Found((object.ra % 360.0, object.dec)),
        None => Resolution::Failed(TargetFault {
            class: ErrorClass::UnknownName,
            why: format!("no object is known as {:.100}", target.name),
        }),
    }
}

/// Asks once. Its finding says why there is nothing.
fn ask(resolver: &Service, names: &[String], attempt: &mut Attempt<'_>) -> Option<Vec<SesameTarget>> {
    let (below, query) = vo::sesame_query(names.iter().map(String::as_str));
    let path = format!("{}{below}", resolver.url().path.trim_end_matches('/'));
    let fetched = attempt.ask(resolver.url().with_path(&path).with_query(&query), ACCEPT, None);
    attempt.note_travel(&fetched);
    attempt.hangs_on(&fetched);
    let answer = match &fetched.answer {
        Ok(answer) => answer,
        Err(error) => {
            attempt.was_taken(Reception::Broken);
            let words = in_words(error, attempt.limit());
            fail(&mut attempt.finding, class_of(error), &words);
            return None;
        }
    };
    if let Some(why) = kept_by_proxy(&fetched) {
        fail(&mut attempt.finding, ErrorClass::Proxy, &why);
        return None;
    }
    if !is_success(answer) {
        let denied = matches!(answer.status, 403 | 429);
        let after = attempt.retry_after(answer);
        let refused = attempt.was_taken(if denied { Reception::Denied(after) } else { Reception::Answered });
        let class = if refused { ErrorClass::Rate } else { ErrorClass::Http };
        fail(&mut attempt.finding, class, &status_line(answer));
        return None;
    }
    attempt.was_taken(Reception::Answered);
    match read(answer, attempt.limit(), vo::read_sesame) {
        Ok(found) if found.len() == names.len() => {
            attempt.finding.verdict = ServiceVerdict::Up;
            Some(found)
        }
        Ok(found) => {
            let why = format!("it answered for {} names of {}", found.len(), names.len());
            fail(&mut attempt.finding, ErrorClass::BadValue, &why);
            None
        }
        Err((class, why)) => {
            fail(&mut attempt.finding, class, &why);
            None
        }
    }
}
