//! Services that were known before a run, looked up as the run's own come by. Does not know
//! what is new about them.

use xxhash_rust::xxh3::xxh3_64;

use super::KnownService;
use crate::task::Finding;

/// Services that were known before a run, by URL and name. One that is listed twice is known
/// twice, and they come in the same order.
pub(super) struct EarlierServices {
    services: Vec<Option<Box<KnownService>>>,
    /// The place of each, by the hash of what it is called; later ones last.
    places: Vec<(u64, usize)>,
    /// Where those of a hash begin: how many of them are taken, which need no second look.
    taken: Vec<usize>,
}

impl EarlierServices {
    #[expect(clippy::vec_box, reason = "as they are known")]
    pub(super) fn of(services: Vec<Box<KnownService>>) -> Self {
        let hashes = services.iter().map(|it| hash_of(&it.url, it.name.as_deref()));
        let mut places: Vec<(u64, usize)> = hashes.zip(0..).collect();
        places.sort_unstable();
        let taken = vec![0; places.len()];
        Self { services: services.into_iter().map(Some).collect(), places, taken }
    }

    /// The one that `finding` is about, which is not among the others any more.
    pub(super) fn take(&mut self, finding: &Finding) -> Option<Box<KnownService>> {
        let hash = hash_of(&finding.url, finding.name.as_deref());
        let first = self.places.partition_point(|(known, _)| *known < hash);
        let taken = self.taken.get_mut(first)?;
        let is_it = |it: &KnownService| it.url == finding.url && it.name == finding.name;
        let alike = self.places[first + *taken..].iter().take_while(|(known, _)| *known == hash);
        for (at, (_, place)) in alike.enumerate() {
            let service = &mut self.services[*place];
            if service.as_deref().is_some_and(is_it) {
                // Another one of the same hash, which may yet come, is not passed over.
                *taken += usize::from(at == 0);
                return service.take();
            }
        }
        None
    }

    /// Those that nobody took.
    pub(super) fn left(&self) -> impl Iterator<Item = &KnownService> {
        self.services.iter().filter_map(Option::as_deref)
    }
}

fn hash_of(url: &str, name: Option<&str>) -> u64 {
    xxh3_64(format!("{url}\0{}", name.unwrap_or_default()).as_bytes())
}
