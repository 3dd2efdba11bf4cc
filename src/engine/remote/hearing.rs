//! What a worker says, and what that means for its tasks.
//!
//! Knows nothing of who gets the next task.

use std::time::Duration;

use super::dispatcher::Dispatcher;
use super::frame::Frame;
use super::protocol::{ClockReading, Incident, TaskBegun, kind, numbers_in};
use super::request::TaskReport;
use super::waiting::{DoubtfulEnd, is_doubtful};
use super::worker_link::{LinkStage, PATIENCE, TaskInHand, text_of};
use crate::engine::lifecycle::TaskLife;
use crate::output::Channel;
use crate::task::{Outcome, Record};
use crate::workload::OutputDigest;

impl Dispatcher<'_, '_> {
    /// What `frame` of the worker of a link means. An error means that it could not be
    /// made ready.
    pub(super) fn handle(&mut self, index: usize, frame: &Frame) -> anyhow::Result<()> {
        let link = &mut self.links[index];
        if !matches!(link.stage, LinkStage::Ready | LinkStage::Leaving) {
            if frame.kind == kind::BEAT {
                return Ok(());
            }
            return match link.hear_ready(frame) {
                Ok(()) => self.has_come_further(index),
                Err(error) => self.not_understood(index, "", || error),
            };
        }
        let is_understood = match frame.kind {
            kind::BEGUN => self.begun(index, &frame.payload),
            kind::OUT | kind::ERR | kind::ADVANCED | kind::NAMED | kind::INCIDENT => self.told(index, frame),
            kind::CONSULT => self.asked(index, &frame.payload),
            kind::DONE => self.done(index, &frame.payload),
            kind::NOT_BEGUN => self.handed_back(index, &frame.payload),
            kind::TIME_IS => self.time_is(index, &frame.payload),
            kind::BEAT => Some(()),
            // It was sent home before it was.
            kind::READY if link.stage == LinkStage::Leaving => Some(()),
            kind::BYE => {
                self.left(index, frame);
                Some(())
            }
            kind::FAILED => {
                self.lose(index, Some(text_of(&frame.payload)));
                Some(())
            }
            other => {
                self.lose(
                    index,
                    Some(format!("sent {:?}, which is no message of this protocol", char::from(other))),
                );
                Some(())
            }
        };
        if is_understood.is_none() {
            let kind = char::from(frame.kind);
            self.lose(index, Some(format!("sent a message {kind:?} that does not fit")));
        }
        Ok(())
    }

    /// The worker of a link has come a step further on its way to tasks.
    fn has_come_further(&mut self, index: usize) -> anyhow::Result<()> {
        let now = self.run.clock.now();
        match self.links[index].stage {
            LinkStage::Ready => {
                self.links[index].begin(now)?;
                self.host_is_ready(index, now);
                Ok(())
            }
            LinkStage::Present => {
                // The first ones are given it all together, and those that come later alone.
                if !self.host_is_there(index)? && self.is_driving {
                    self.links[index].share()?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begun(&mut self, index: usize, payload: &[u8]) -> Option<()> {
        let TaskBegun { seq, slot, at } = TaskBegun::decoded(payload)?;
        let now = self.run.clock.now();
        let link = &mut self.links[index];
        let place = link.sent.iter().position(|unbegun| unbegun.seq() == seq)?;
        let free_since = *link.free_since.get(usize::try_from(slot.checked_sub(link.slots.first)?).ok()?)?;
        let unbegun = link.sent.remove(place)?;
        link.failures.end();
        // As long as it is not known how clocks differ, word of it is the best there is.
        let at = link.clock.ours(at).unwrap_or(now).min(now).max(unbegun.sent);
        link.cost.passing += at.saturating_sub(unbegun.sent.max(free_since));
        let digest = (self.run.digested && link.host.takes_lines).then(OutputDigest::default);
        let life = unbegun.begin(self.run, self.sink, slot, at);
        link.in_hand.insert(seq, TaskInHand { life, at, slot, answered: 0, digest });
        Some(())
    }

    fn told(&mut self, index: usize, frame: &Frame) -> Option<()> {
        let (seq, said) = frame.payload.split_first_chunk()?;
        let TaskInHand { life, digest, .. } = self.links[index].in_hand.get_mut(&u64::from_le_bytes(*seq))?;
        let mut wrote = |channel, life: &mut TaskLife<'_, '_>| {
            if let Some(digest) = digest {
                digest.update(channel, said);
            }
            life.wrote(channel, said);
        };
        match frame.kind {
            kind::OUT => wrote(Channel::Out, life),
            kind::ERR => wrote(Channel::Err, life),
            kind::ADVANCED => life.advanced(u64::from_le_bytes(said.try_into().ok()?)),
            kind::NAMED => life.named(text_of(said).into()),
            _ => {
                // What is not understood would only have been shown.
                if let Ok(incident) = serde_json::from_slice::<Incident>(said) {
                    life.observe(&incident.event(life.task()));
                }
            }
        }
        Some(())
    }

    /// A task asks what only this process knows.
    fn asked(&mut self, index: usize, payload: &[u8]) -> Option<()> {
        let (seq, question) = payload.split_first_chunk::<8>()?;
        let seq = u64::from_le_bytes(*seq);
        let link = &mut self.links[index];
        let asking = link.in_hand.get(&seq)?.life.task();
        let question = serde_json::from_slice(question).ok()?;
        let answer = self.workload.portable()?.answer_about(asking, question);
        link.answer(seq, &serde_json::to_vec(&answer).ok()?)
    }

    fn done(&mut self, index: usize, payload: &[u8]) -> Option<()> {
        let TaskReport(mut record) = TaskReport::decoded(payload)?;
        let now = self.run.clock.now();
        let ends_running = self.ends_running();
        let link = &mut self.links[index];
        let TaskInHand { mut life, at, slot, digest, .. } = link.in_hand.remove(&record.seq)?;
        record.node = link.node();
        record.digest = digest.map(|digest| digest.finish()).or(record.digest);
        link.count(&record);
        // A record says what it likes.
        let end = at.saturating_add(record.wall);
        link.free_since[(slot - link.slots.first) as usize] = end.min(now);
        link.cost.passing += now.saturating_sub(end);
        self.walls.learn(record.wall);
        life.advanced_to(record.bytes);
        if !is_doubtful(&record.outcome) {
            self.settle(life, record);
        } else if ends_running {
            // It was told to end, or is one of all that are being ended.
            if self.run.interrupt.is_set() {
                record.outcome = Outcome::Interrupted;
            }
            self.settle(life, record);
        } else {
            let link_id = (index, link.cost.replaced);
            self.waiting.doubt(DoubtfulEnd::new(life, record, link.name(), link_id));
        }
        Some(())
    }

    fn handed_back(&mut self, index: usize, payload: &[u8]) -> Option<()> {
        self.links[index].is_asked_back = false;
        // The last ones are to come behind those that were sent before them.
        let mut numbers: Vec<u64> = numbers_in(payload).collect();
        numbers.sort_unstable();
        for seq in numbers.into_iter().rev() {
            let sent = &mut self.links[index].sent;
            let place = sent.iter().position(|unbegun| unbegun.seq() == seq)?;
            let unbegun = sent.remove(place)?;
            self.came_back(unbegun, index);
        }
        Some(())
    }

    fn time_is(&mut self, index: usize, payload: &[u8]) -> Option<()> {
        let now = self.run.clock.now();
        let link = &mut self.links[index];
        link.clock.learn(ClockReading::decoded(payload)?, now);
        if link.clock.wants_more() && link.stage == LinkStage::Ready {
            link.ask_time(now).ok()?;
        }
        Some(())
    }

    /// A worker says goodbye: because it was sent home, or was asked to end by somebody else.
    fn left(&mut self, index: usize, bye: &Frame) {
        let link = &mut self.links[index];
        let was_sent_home = link.stage == LinkStage::Leaving;
        let id = (index, link.cost.replaced);
        if link.in_hand.is_empty() {
            link.reap_after(bye);
            if !was_sent_home {
                self.host_is_down(index, "its worker was asked to end");
            }
            self.give_back_sent(index);
        } else {
            self.lose(index, None);
        }
        if !was_sent_home {
            self.settle_judged(Some(id));
        }
    }

    /// The stream of a worker has ended.
    pub(super) fn ended(&mut self, index: usize) -> anyhow::Result<()> {
        let link = &mut self.links[index];
        if matches!(link.stage, LinkStage::Ready | LinkStage::Leaving) {
            self.lose(index, None);
            return Ok(());
        }
        let name = link.name();
        let how = link.reap(PATIENCE).unwrap_or_else(|| "ended".to_owned());
        if self.host_is_down(index, &how) {
            return Ok(());
        }
        self.not_understood(index, "", || anyhow::anyhow!("the worker ({name}) {how} before it was ready"))
    }

    /// What a worker said, or that nothing can be said to it, is the end of it: `how` for
    /// its tasks, `error` where it was to be made ready.
    pub(super) fn not_understood(
        &mut self,
        index: usize,
        how: &str,
        error: impl FnOnce() -> anyhow::Error,
    ) -> anyhow::Result<()> {
        let link = &mut self.links[index];
        if matches!(link.stage, LinkStage::Ready | LinkStage::Leaving) {
            self.lose(index, Some(how.to_owned()));
            return Ok(());
        }
        link.reap(Duration::ZERO);
        let error = error();
        if self.host_is_down(index, &if how.is_empty() { error.to_string() } else { how.to_owned() }) {
            return Ok(());
        }
        self.links[index].none_came();
        Err(error)
    }

    /// The worker of a link is gone, or is done with because it `says` what it should not:
    /// what it did is lost, and what it had not begun is another's.
    pub(super) fn lose(&mut self, index: usize, says: Option<String>) {
        let link = &mut self.links[index];
        let (name, process, node) = (link.name(), link.process(), link.node());
        let was_ready = link.stage == LinkStage::Ready;
        let was_too_slow = self.ending.is_over_time();
        let how = if let Some(says) = says {
            link.reap(Duration::ZERO);
            says
        } else {
            let patience = if was_too_slow { Duration::ZERO } else { PATIENCE };
            link.reap(patience).unwrap_or_else(|| "ended".to_owned())
        };
        // What was sent may have been begun, and the word of that is lost.
        let was_idle = link.in_hand.is_empty() && link.sent.is_empty();
        let in_hand = std::mem::take(&mut link.in_hand);
        if let (false, Some(process), Some(portable)) = (was_idle, process, self.workload.portable()) {
            portable.clean_after(&self.run.column, process);
        }
        for (_, TaskInHand { life, .. }) in in_hand {
            // Where running tasks are to end, nothing is wrong with this one.
            let outcome = if self.ends_running() {
                Outcome::Interrupted
            } else {
                Outcome::Failed(format!("its worker ({name}) {how}").into())
            };
            let record = Record { node: node.clone(), ..life.unmeasured(outcome) };
            self.links[index].count(&record);
            self.settle(life, record);
        }
        if was_ready {
            self.host_is_down(index, &how);
        }
        self.give_back_sent(index);
    }

    /// The worker of a link has ended: what it had not begun is another's.
    fn give_back_sent(&mut self, index: usize) {
        while let Some(mut unbegun) = self.links[index].sent.pop_back() {
            unbegun.n_lost += 1;
            self.came_back(unbegun, index);
        }
    }
}
