//! Puts the kill switch into the kernel, and takes it away again.
//!
//! There is one table for all connections, made of what each of them wants. Every activation is a
//! process of its own, so each leaves what it wants in a mark ([`marks`]); whoever changes its own
//! builds the rules from all marks, in one transaction, while it has the lock of all. So it does
//! not matter who comes, goes or is killed in which order: the rules follow from the marks that are
//! there, and there is a table as long as one of them blocks traffic.

mod marks;
mod nftables;

use crate::account;
use crate::openvpn::tun_device;
use crate::rtnetlink::ask;
use aws_client_vpn_profile::settings::KillSwitchOptions;
use aws_client_vpn_profile::well_known::KILL_SWITCH_MARKS;
use aws_client_vpn_session::ip::Network;
use aws_client_vpn_session::kernel_routes::KernelRoute;
use aws_client_vpn_session::kill_switch::netlink::Change;
use aws_client_vpn_session::kill_switch::{
    FirewallPolicy, OPENING_LIFETIME, Ruleset, local_networks,
};
use aws_client_vpn_session::netlink::{addresses_request, routes_request};
use aws_client_vpn_text::message::Localize;
use marks::{Found, List, Mark, Marks};
use nftables::{Events, Nftables};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use thiserror::Error;

/// `NETLINK_NETFILTER`, as /proc/net/netlink has it.
const NETFILTER: &str = "12";
/// The least time between two changes of somebody else's that are put right.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often it is said.
const REPETITION: Duration = Duration::from_secs(10);

/// How long after the kernel did not tell the networks around it is asked again.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// The kernel did not take the rules.
#[derive(Debug, Error, Localize)]
pub(crate) enum KillSwitchError {
    /// No mark can be set.
    // TRANSLATORS: Follows “The kill switch could not be turned on:”
    #[error("no file can be made under {KILL_SWITCH_MARKS}: {0}")]
    Mark(io::Error),
    /// nftables cannot be reached.
    // TRANSLATORS: Follows “The kill switch could not be turned on:”
    #[error("the kernel has no nftables: {0}")]
    Socket(io::Error),
    /// nftables refuses.
    // TRANSLATORS: Follows “The kill switch could not be turned on:”
    #[error("nftables refuses the rules: {0}")]
    Refused(io::Error),
}

/// What one activation has to do with the kill switch: its own, or that of other connections.
#[derive(Debug)]
pub(crate) struct KillSwitch {
    uuid: String,
    options: Option<KillSwitchOptions>,
    marks: Marks,
    /// What is known of this activation to all.
    own: Option<Own>,
    /// How an earlier activation left it, if that stopped the rest.
    left: Option<FirewallPolicy>,
    nftables: Option<Nftables>,
    /// What others do to the table.
    events: Option<Events>,
    is_disturbed: bool,
    put_right: Option<Instant>,
    told: Option<Instant>,
    /// When what is open for a while is to be opened again.
    renew_at: Option<Instant>,
    /// The networks around, where they are let through.
    local_networks: Option<Vec<Network<IpAddr>>>,
    /// When to look for them again, where the kernel did not tell.
    look_again_at: Option<Instant>,
}

#[derive(Debug)]
struct Own {
    mark: Mark,
    policy: FirewallPolicy,
}

impl KillSwitch {
    /// The kill switch of an activation of the connection `uuid`, which has one only if there are
    /// `options`.
    pub(crate) fn new(uuid: &str, options: Option<KillSwitchOptions>) -> Self {
        Self {
            uuid: uuid.to_owned(),
            options,
            marks: Marks::of_this_machine(),
            own: None,
            left: None,
            nftables: None,
            events: None,
            is_disturbed: false,
            put_right: None,
            told: None,
            renew_at: None,
            local_networks: None,
            look_again_at: None,
        }
    }

    /// What the user wants let through; `None` without a kill switch.
    pub(crate) fn options(&self) -> Option<KillSwitchOptions> {
        self.options
    }

    /// Whether this connection stops traffic now.
    pub(crate) fn is_closed(&self) -> bool {
        self.own
            .as_ref()
            .is_some_and(|own| own.policy.stops_the_rest)
    }

    /// Whether an earlier activation of this connection left traffic stopped.
    pub(crate) fn was_left_closed(&self) -> bool {
        self.left.is_some()
    }

    /// The addresses of the endpoint as the earlier activation knew them.
    pub(crate) fn known_addresses(&self) -> Vec<IpAddr> {
        let endpoints = self.left.iter().flat_map(|left| &left.endpoints);
        let mut addresses: Vec<_> = endpoints.map(|endpoint| endpoint.address).collect();
        addresses.dedup();
        addresses
    }

    /// Begins an activation: what an earlier one left stopped stays stopped, as this one's own. If
    /// there is to be no kill switch any more, it ends.
    pub(crate) fn begin(&mut self) -> Result<(), KillSwitchError> {
        let leave = self.marks.lock().map_err(KillSwitchError::Mark)?;
        let others = self.marks.others(None, &leave);
        let others = others.map_err(KillSwitchError::Mark)?;
        let left: Vec<_> = others
            .found
            .iter()
            .filter(|found| found.uuid == self.uuid && !found.is_alive)
            .collect();
        let mut policy = FirewallPolicy::default();
        if self.options.is_some() {
            for found in &left {
                policy.stops_the_rest |= found.policy.stops_the_rest;
                policy.endpoints.extend_from_slice(&found.policy.endpoints);
                policy.local_networks = found.policy.local_networks.clone();
            }
        }
        self.left = policy.stops_the_rest.then(|| policy.clone());
        self.local_networks = policy.local_networks.clone();
        if policy.stops_the_rest {
            self.listen()?;
        }
        let mark = self
            .marks
            .make(&self.uuid, &policy, &leave)
            .map_err(KillSwitchError::Mark)?;
        let rules = ruleset(
            others
                .found
                .iter()
                .filter(|found| found.uuid != self.uuid || found.is_alive),
            Some(&policy),
        );
        let is_nobody_s =
            left.is_empty() && others.is_whole && is_nobody_s(rules.as_ref(), &mut self.nftables);
        if rules.is_some() || !left.is_empty() || is_nobody_s {
            // Also if they are the same: who left the mark may have been killed before he had the
            // kernel make them.
            self.replace(rules.as_ref())?;
        }
        if is_nobody_s {
            tell_of_nobody_s();
        }
        // One may have the same name: of a process with the same number.
        for found in left.into_iter().filter(|found| !found.is(&mark)) {
            found.remove().map_err(KillSwitchError::Mark)?;
        }
        self.own = Some(Own { mark, policy });
        Ok(())
    }

    /// Stops what is for no tunnel, if the connection has a kill switch.
    pub(crate) fn close(&mut self, policy: FirewallPolicy) -> Result<(), KillSwitchError> {
        if self.options.is_none() {
            return self.follow(policy);
        }
        if !self.is_closed() {
            self.networks_changed();
        }
        self.apply(FirewallPolicy {
            stops_the_rest: true,
            ..policy
        })
    }

    /// Lets through what the connection needs now; whether it stops the rest stays as it is.
    pub(crate) fn follow(&mut self, policy: FirewallPolicy) -> Result<(), KillSwitchError> {
        if self.own.is_none() {
            return Ok(());
        }
        self.apply(FirewallPolicy {
            stops_the_rest: self.is_closed(),
            ..policy
        })
    }

    /// When to call [`Self::follow`] although nothing has changed: ports that are open for a while
    /// are needed still, or the networks around are not known.
    pub(crate) fn due(&self) -> Option<Instant> {
        // Without a mark, nothing follows.
        self.own.as_ref()?;
        self.renew_at.into_iter().chain(self.look_again_at).min()
    }

    /// What is open for a while is not opened again, and the networks around stay as they are.
    pub(crate) fn renew_no_more(&mut self) {
        self.renew_at = None;
        self.look_again_at = None;
    }

    /// The networks around may be others.
    pub(crate) fn networks_changed(&mut self) {
        let lets_them = self.options.is_some_and(|options| options.lan);
        self.look_again_at = None;
        if !lets_them {
            self.local_networks = None;
            return;
        }
        match networks_around() {
            Ok(networks) => self.local_networks = Some(networks),
            // As where they change all the time: what was let through still is.
            Err(error) => {
                tracing::debug!("the kernel does not tell the networks around: {error}");
                self.local_networks.get_or_insert_default();
                self.look_again_at = Some(Instant::now() + LOOK_PAUSE);
            }
        }
    }

    fn apply(&mut self, policy: FirewallPolicy) -> Result<(), KillSwitchError> {
        let mut policy = policy;
        let now = Instant::now();
        if self.look_again_at.is_some_and(|at| at <= now) {
            self.networks_changed();
        }
        if policy.stops_the_rest {
            policy.local_networks.clone_from(&self.local_networks);
        }
        if let Some(left) = &self.left {
            for endpoint in &left.endpoints {
                if !policy.endpoints.contains(endpoint) {
                    policy.endpoints.push(*endpoint);
                }
            }
        }
        let is_renewal = self.renew_at.is_some_and(|at| at <= now);
        let is_same = self.own.as_ref().is_some_and(|own| own.policy == policy);
        if is_same && !self.is_disturbed && !is_renewal {
            return Ok(());
        }
        self.renew_at = policy.has_openings().then(|| now + OPENING_LIFETIME / 2);
        if policy.stops_the_rest {
            // Before the table is there, so that nothing is missed.
            self.listen()?;
        }
        let leave = self.marks.lock().map_err(KillSwitchError::Mark)?;
        let (own, is_new) = match &mut self.own {
            Some(own) if own.mark.is_there() => (own, false),
            // None yet, or somebody has deleted it: what it said is still so if anything fails here.
            none => {
                let policy = none.as_ref().map(|own| own.policy.clone());
                let policy = policy.unwrap_or_default();
                let mark = self.marks.make(&self.uuid, &policy, &leave);
                let mark = mark.map_err(KillSwitchError::Mark)?;
                (none.insert(Own { mark, policy }), true)
            }
        };
        // Another service, which has heard of it, too, may have put it right.
        let is_put_right = (self.is_disturbed || is_new)
            && self
                .events
                .as_ref()
                .is_some_and(|events| events.last_change() == Some(Change::Ours));
        let is_disturbed = self.is_disturbed && !is_put_right;
        // Without the mark, it made rules for the others only: they are wrong until they are replaced.
        self.is_disturbed |= is_new;
        let others = self.marks.others(Some(&own.mark), &leave);
        let others = others.map_err(KillSwitchError::Mark)?.found;
        let before = ruleset(&others, Some(&own.policy));
        let after = ruleset(&others, Some(&policy));
        // First the mark: whoever is killed in between leaves one without rules, not rules without
        // a mark.
        own.mark.write(&policy).map_err(KillSwitchError::Mark)?;
        if (is_disturbed || before != after || ((is_renewal || is_new) && after.is_some()))
            && let Err(error) = replace(&mut self.nftables, after.as_ref())
        {
            own.mark.write(&own.policy).map_err(KillSwitchError::Mark)?;
            return Err(error);
        }
        own.policy = policy;
        self.is_disturbed = false;
        Ok(())
    }

    /// Resolves when somebody else has changed or removed the table: a firewall that restarts
    /// flushes those of all; or when one of ours has, which did not know of this activation because
    /// somebody has deleted its mark. It is put right by the next [`Self::follow`].
    pub(crate) async fn disturbed(&mut self) {
        let Some(events) = &self.events else {
            return std::future::pending().await;
        };
        // What somebody insists on is answered ten times a second, not a thousand times.
        if let Some(at) = self.put_right {
            tokio::time::sleep_until((at + PATIENCE).into()).await;
        }
        let knows_all = || self.own.as_ref().is_none_or(|own| own.mark.is_there());
        loop {
            match events.change().await {
                Ok(Change::Ours) if knows_all() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!("the kernel no longer reports changes: {error}");
                    self.events = None;
                    return;
                }
            }
        }
        let now = Instant::now();
        self.put_right = Some(now);
        self.is_disturbed = true;
        if self.told.is_none_or(|at| now - at > REPETITION) {
            self.told = Some(now);
            tracing::warn!("somebody changed the rules of the kill switch; they are put right");
        }
    }

    /// This connection is over, and the user wants the rest of the network, as far as it is up to
    /// this one.
    pub(crate) fn open(&mut self) -> Result<(), KillSwitchError> {
        self.events = None;
        self.left = None;
        self.renew_no_more();
        let Some(own) = self.own.take() else {
            return Ok(());
        };
        let leave = self.marks.lock().map_err(KillSwitchError::Mark)?;
        match self.marks.others(Some(&own.mark), &leave) {
            Ok(List { found, .. }) => {
                let (before, after) = (ruleset(&found, Some(&own.policy)), ruleset(&found, None));
                if before != after {
                    self.replace(after.as_ref())?;
                }
            }
            // It stops nothing, and what others let through for it is no harm.
            Err(_) if !own.policy.stops_the_rest => {}
            Err(error) => return Err(KillSwitchError::Mark(error)),
        }
        own.mark.remove().map_err(KillSwitchError::Mark)?;
        self.marks.tidy(&leave);
        Ok(())
    }

    /// The user wants the rest of the network: what earlier activations of this connection left
    /// stopped goes, too.
    pub(crate) fn free(&mut self) -> Result<(), KillSwitchError> {
        self.open()?;
        lift_in(&self.marks, |left| left == self.uuid).map(drop)
    }

    /// This connection is over, but not because the user wanted it: what is stopped stays stopped.
    /// If it has not been up, all is as the activation before left it. The next activation takes it
    /// over, whether or not this process still runs.
    pub(crate) fn leave(&mut self, was_up: bool) -> Result<(), KillSwitchError> {
        let Some(own) = &self.own else {
            return Ok(());
        };
        let policy = match &self.left {
            Some(left) if !was_up => left.clone(),
            Some(_) | None => own.policy.clone().of_a_process_that_is_gone(),
        };
        self.local_networks.clone_from(&policy.local_networks);
        self.look_again_at = None;
        self.apply(policy)?;
        self.own = None;
        self.events = None;
        Ok(())
    }

    fn listen(&mut self) -> Result<(), KillSwitchError> {
        if self.events.is_none() {
            self.events = Some(Events::listen().map_err(KillSwitchError::Socket)?);
        }
        Ok(())
    }

    fn replace(&mut self, rules: Option<&Ruleset>) -> Result<(), KillSwitchError> {
        replace(&mut self.nftables, rules)
    }
}

/// Has the kernel replace the rules, by a socket that is opened if it is not yet.
fn replace(
    nftables: &mut Option<Nftables>,
    rules: Option<&Ruleset>,
) -> Result<(), KillSwitchError> {
    let nftables = opened(nftables).map_err(KillSwitchError::Socket)?;
    nftables.replace(rules).map_err(KillSwitchError::Refused)
}

fn opened(nftables: &mut Option<Nftables>) -> io::Result<&mut Nftables> {
    Ok(match nftables {
        Some(nftables) => nftables,
        none => none.insert(Nftables::open()?),
    })
}

/// Whether the kernel has our table although no mark wants one, of which all make the `rules`: it was
/// loaded with a ruleset that somebody had saved, or the marks were deleted. To be asked with the
/// lock of all: who has it makes the mark before the table, and takes it away after the table.
fn is_nobody_s(rules: Option<&Ruleset>, nftables: &mut Option<Nftables>) -> bool {
    // A kernel without nftables has none.
    let mut has_table = || opened(nftables)?.has_table();
    rules.is_none() && has_nftables() && has_table().unwrap_or(false)
}

/// Whether the kernel has nftables loaded, or built in: only to be asked for a table it need not load
/// them. Of what is built in there is nothing under /sys/module. They need nfnetlink, which has a
/// socket in each network as soon as it is there; where that is built in, they may be, too.
fn has_nftables() -> bool {
    let is_loaded = |module: &str| Path::new("/sys/module").join(module).exists();
    let sockets = fs::read_to_string("/proc/self/net/netlink").unwrap_or_default();
    let mut protocols = sockets.lines().map(|line| line.split_whitespace().nth(1));
    is_loaded("nf_tables")
        || (!is_loaded("nfnetlink") && protocols.any(|protocol| protocol == Some(NETFILTER)))
}

fn tell_of_nobody_s() {
    tracing::warn!(
        "the kernel had a kill switch that no connection has turned on, as from a saved ruleset; it \
         is lifted"
    );
}

fn ruleset<'a>(
    others: impl IntoIterator<Item = &'a Found>,
    own: Option<&FirewallPolicy>,
) -> Option<Ruleset> {
    let others = others.into_iter().map(|found| &found.policy);
    let policies: Vec<_> = others.chain(own).cloned().collect();
    let user = account::look_up().ok().map(|account| account.uid);
    Ruleset::of(&policies, user)
}

/// The connections whose services are gone and have left traffic stopped.
pub(crate) fn left_closed() -> Result<Vec<String>, KillSwitchError> {
    let marks = Marks::of_this_machine();
    let leave = marks.lock().map_err(KillSwitchError::Mark)?;
    let others = marks.others(None, &leave);
    let found = others.map_err(KillSwitchError::Mark)?.found.into_iter();
    let left = found.filter(|found| !found.is_alive);
    let left = left.map(|found| found.uuid).collect();
    marks.tidy(&leave);
    Ok(left)
}

/// Whether the kernel has a kill switch that no connection wants.
pub(crate) fn is_left_over() -> Result<bool, KillSwitchError> {
    let marks = Marks::of_this_machine();
    let leave = marks.lock().map_err(KillSwitchError::Mark)?;
    let all = marks.all(&leave).map_err(KillSwitchError::Mark)?;
    let rules = ruleset(&all.found, None);
    Ok(all.is_whole && is_nobody_s(rules.as_ref(), &mut None))
}

/// What came of [`lift`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lifted {
    /// How many connections that are over stop nothing any more; a table of nobody counts as one.
    pub(crate) over: usize,
    /// How many that are wanted stop traffic still, and have a service that does it.
    pub(crate) wanted: usize,
}

/// Unblocks what connections without a running service still block, for each UUID that `which` accepts,
/// and what no connection blocks.
pub(crate) fn lift(which: impl Fn(&str) -> bool) -> Result<Lifted, KillSwitchError> {
    lift_in(&Marks::of_this_machine(), which)
}

fn lift_in(marks: &Marks, which: impl Fn(&str) -> bool) -> Result<Lifted, KillSwitchError> {
    let leave = marks.lock().map_err(KillSwitchError::Mark)?;
    let others = marks.others(None, &leave);
    let others = others.map_err(KillSwitchError::Mark)?;
    let is_over = |found: &&Found| !found.is_alive && which(&found.uuid);
    let (over, rest): (Vec<_>, Vec<_>) = others.found.iter().partition(is_over);
    let rules = ruleset(rest.iter().copied(), None);
    let mut nftables = None;
    let is_nobody_s =
        over.is_empty() && others.is_whole && is_nobody_s(rules.as_ref(), &mut nftables);
    if !over.is_empty() || is_nobody_s {
        replace(&mut nftables, rules.as_ref())?;
    }
    if is_nobody_s {
        tell_of_nobody_s();
    }
    for found in &over {
        found.remove().map_err(KillSwitchError::Mark)?;
    }
    marks.tidy(&leave);
    let wanted = rest
        .iter()
        .filter(|found| found.is_alive && found.policy.stops_the_rest && which(&found.uuid));
    Ok(Lifted {
        over: over.len() + usize::from(is_nobody_s),
        wanted: wanted.count(),
    })
}

/// Only if the kernel tells all, also which interfaces are tunnels.
fn networks_around() -> io::Result<Vec<Network<IpAddr>>> {
    let routes = KernelRoute::read(&ask(&routes_request())?);
    let addresses = ask(&addresses_request())?;
    Ok(local_networks(&routes, &addresses, &tun_device::numbers()?))
}

#[cfg(test)]
mod tests;
