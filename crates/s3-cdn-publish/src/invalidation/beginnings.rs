//! Common beginnings with a wildcard in the place of many paths.
//!
//! The needs, sorted, make a tree: each branch is a beginning that two or more of them share. A choice names for each branch
//! either itself, with a wildcard, or what its own branches name. What a choice costs is a sum over the tree, so for given
//! prices of a path and of a wildcard the cheapest choice is found from the leaves up. Prices rise until a choice is within
//! the limits; among those that are, the one with the least cost at the plain prices is taken.
//!
//! The plain prices: a path weighs as much as four immutable or sixteen other objects that leave the cache without need.
//! That is small for both sides (half a cent; some requests to the bucket), and keeps wildcards off the folders of assets.
//! `/*` weighs eight paths more, for what the distribution has beside this site.

use super::encoding::whole;
use super::need::Need;
use super::{Limits, Taken, common};

/// The weight of a path.
const PATH: u64 = 16;

/// The weight of an immutable object that leaves the cache.
const IMMUTABLE: u64 = 4;

/// The weight of another object that leaves the cache.
const MUTABLE: u64 = 1;

/// The weight of all that nobody counts: what else a distribution serves.
const EVERYTHING: u64 = 8 * PATH;

/// By how much a price rises from one try to the next, and how often.
const RISE: u64 = 3;
const RISES: u32 = 16;

/// Branches and needs. A site of 200,000 pages has a million of them, so each is small.
#[derive(Debug, Default)]
struct Tree {
    /// Each stands behind those before it that begin like it, and the last is the root.
    nodes: Vec<Node>,
    /// The children of all nodes, those of one side by side and in order.
    children: Vec<u32>,
}

/// A branch of the tree, or a need.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// One need that begins like it.
    at: u32,
    /// How long the beginning is.
    length: u32,
    /// Where its children are.
    first: u32,
    /// How many it has; a need has none.
    count: u32,
    /// Unchanged objects that begin like it.
    immutable: u32,
    /// The same of those that may change.
    mutable: u32,
}

/// A branch that may get more children.
struct Open {
    node: Node,
    children: Vec<u32>,
}

impl Tree {
    /// Where the children of a node are.
    fn children(&self, node: &Node) -> &[u32] {
        let first = node.first as usize;
        &self.children[first..first + node.count as usize]
    }

    fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        number(self.nodes.len() - 1)
    }

    /// A branch is whole.
    fn close(&mut self, open: &Open) -> u32 {
        let node = Node {
            first: number(self.children.len()),
            count: number(open.children.len()),
            ..open.node
        };
        self.children.extend_from_slice(&open.children);
        self.push(node)
    }
}

impl Node {
    /// Whether it is a need by itself.
    fn is_leaf(&self) -> bool {
        self.count == 0
    }

    fn text<'a>(&self, needs: &'a [Need]) -> &'a str {
        &needs[self.at as usize].text[..self.length as usize]
    }

    /// Whether it is a path alone.
    fn is_exact(&self, needs: &[Need]) -> bool {
        self.is_leaf() && needs[self.at as usize].exact
    }
}

/// A number of the tree. There are never as many as this could not hold: a bucket's release has two million files at most.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a choice amounts to.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    price: u64,
    paths: usize,
    wildcards: usize,
    weight: u64,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self {
            price: self.price.saturating_add(other.price),
            paths: self.paths + other.paths,
            wildcards: self.wildcards + other.wildcards,
            weight: self.weight.saturating_add(other.weight),
        }
    }

    fn is_within(&self, limits: Limits) -> bool {
        self.paths <= limits.paths && self.wildcards <= limits.wildcards
    }
}

/// What a path and a wildcard cost in a try.
#[derive(Clone, Copy, Debug)]
struct Prices {
    path: u64,
    wildcard: u64,
}

/// Needs within the limits that take away all of `needs`, which are sorted and don't cover each other, and what else they
/// take away. `kept` are the unchanged objects' paths.
pub(super) fn choose(
    needs: &[Need],
    kept: impl Iterator<Item = (Vec<String>, bool)>,
    limits: Limits,
) -> (Vec<Need>, Taken) {
    let mut tree = tree(needs);
    count(&mut tree, needs, kept);
    let mut best: Option<(u64, Prices)> = None;
    for wildcard in (0..RISES).map(|rise| PATH * (RISE.pow(rise) - 1)) {
        for path in (0..RISES).map(|rise| PATH * RISE.pow(rise)) {
            let prices = Prices { path, wildcard };
            let sum = sum(&tree, needs, prices, |_| {});
            if !sum.is_within(limits) {
                continue;
            }
            if best.is_none_or(|(weight, _)| sum.weight < weight) {
                best = Some((sum.weight, prices));
            }
            // A higher price of paths only weighs more.
            break;
        }
        // No choice weighs less than the one at the plain prices.
        if best.is_some_and(|(_, prices)| prices.path == PATH && prices.wildcard == 0) {
            break;
        }
    }
    let mut itself = Vec::with_capacity(tree.nodes.len());
    match best {
        Some((_, prices)) => {
            sum(&tree, needs, prices, |named| itself.push(named));
        }
        // The root is within every limit.
        None => {
            itself.resize(tree.nodes.len().saturating_sub(1), false);
            itself.push(true);
        }
    }
    named(&tree, needs, &itself)
}

/// What the beginnings among `needs` take away beside what changed.
pub(super) fn taken(needs: &[Need], kept: impl Iterator<Item = (Vec<String>, bool)>) -> Taken {
    let mut taken = Taken::default();
    let beginnings: Vec<&str> = needs
        .iter()
        .filter(|need| !need.exact)
        .map(|need| &*need.text)
        .collect();
    if beginnings.is_empty() {
        return taken;
    }
    for (paths, immutable) in kept {
        for path in paths {
            if beginnings.iter().any(|text| path.starts_with(text)) {
                add(&mut taken, immutable);
            }
        }
    }
    taken
}

fn add(taken: &mut Taken, immutable: bool) {
    if immutable {
        taken.immutable += 1;
    } else {
        taken.mutable += 1;
    }
}

/// The tree of common beginnings of needs, of which there are several.
fn tree(needs: &[Need]) -> Tree {
    let mut tree = Tree {
        nodes: Vec::with_capacity(needs.len() * 2),
        children: Vec::with_capacity(needs.len() * 2),
    };
    let mut open: Vec<Open> = Vec::new();
    for (at, need) in needs.iter().enumerate() {
        let at = number(at);
        let mut child = tree.push(Node {
            at,
            length: number(need.text.len()),
            ..Node::default()
        });
        let shared = needs
            .get(at as usize + 1)
            .map_or(0, |next| whole(&need.text, common(&need.text, &next.text)));
        let length = number(shared);
        while let Some(mut top) = open.pop_if(|top| top.node.length > length) {
            top.children.push(child);
            child = tree.close(&top);
        }
        match open.last_mut().filter(|top| top.node.length == length) {
            Some(top) => top.children.push(child),
            // All begin with a slash, so only behind the last one nothing is shared.
            None if shared > 0 => open.push(Open {
                node: Node {
                    at,
                    length,
                    ..Node::default()
                },
                children: vec![child],
            }),
            None => {}
        }
    }
    tree
}

/// Counts unchanged objects at the branches that they begin like.
fn count(tree: &mut Tree, needs: &[Need], kept: impl Iterator<Item = (Vec<String>, bool)>) {
    for (paths, immutable) in kept {
        for path in paths {
            let Some(at) = deepest(tree, needs, &path) else {
                continue;
            };
            let node = &mut tree.nodes[at];
            if immutable {
                node.immutable += 1;
            } else {
                node.mutable += 1;
            }
        }
    }
    for at in 0..tree.nodes.len() {
        let mut node = tree.nodes[at];
        for &child in tree.children(&node) {
            let child = &tree.nodes[child as usize];
            node.immutable += child.immutable;
            node.mutable += child.mutable;
        }
        tree.nodes[at] = node;
    }
}

/// The longest beginning that a path has.
fn deepest(tree: &Tree, needs: &[Need], path: &str) -> Option<usize> {
    let text = |at: u32| tree.nodes[at as usize].text(needs);
    let mut at = number(tree.nodes.len().checked_sub(1)?);
    if !path.starts_with(text(at)) {
        return None;
    }
    loop {
        let children = tree.children(&tree.nodes[at as usize]);
        let after = children.partition_point(|&child| text(child) <= path);
        let next = after.checked_sub(1).map(|before| children[before]);
        let is_exact = |child: u32| tree.nodes[child as usize].is_exact(needs);
        match next.filter(|&child| !is_exact(child) && path.starts_with(text(child))) {
            Some(child) => at = child,
            None => return Some(at as usize),
        }
    }
}

/// What the cheapest choice amounts to. `named` hears of each node in turn whether it is cheaper itself than its children.
fn sum(tree: &Tree, needs: &[Need], prices: Prices, mut named: impl FnMut(bool)) -> Sum {
    // Of nodes whose parent is still to come: what is before a parent are its children.
    let mut waiting: Vec<Sum> = Vec::new();
    for node in &tree.nodes {
        let children = waiting.len() - node.count as usize;
        let below = waiting.drain(children..).fold(Sum::default(), Sum::plus);
        let itself = itself(node, needs, prices);
        let is_named = node.is_leaf() || below.price > itself.price;
        named(is_named);
        waiting.push(if is_named { itself } else { below });
    }
    waiting.pop().unwrap_or_default()
}

/// What it costs to name a node.
fn itself(node: &Node, needs: &[Need], prices: Prices) -> Sum {
    if node.is_exact(needs) {
        return Sum {
            price: prices.path,
            paths: 1,
            wildcards: 0,
            weight: PATH,
        };
    }
    let others = if node.length == 1 { EVERYTHING } else { 0 };
    let beside = u64::from(node.immutable) * IMMUTABLE + u64::from(node.mutable) * MUTABLE + others;
    Sum {
        price: beside.saturating_add(prices.path).saturating_add(prices.wildcard),
        paths: 1,
        wildcards: 1,
        weight: beside + PATH,
    }
}

/// What a choice names, and what it takes away. `itself` says of each node whether it is named where nothing above it is.
fn named(tree: &Tree, needs: &[Need], itself: &[bool]) -> (Vec<Need>, Taken) {
    let mut chosen = Vec::new();
    let mut taken = Taken::default();
    let mut open: Vec<usize> = tree.nodes.len().checked_sub(1).into_iter().collect();
    while let Some(at) = open.pop() {
        let node = &tree.nodes[at];
        if !itself[at] {
            open.extend(tree.children(node).iter().map(|&child| child as usize));
        } else if node.is_exact(needs) {
            chosen.push(needs[node.at as usize].clone());
        } else {
            chosen.push(Need::beginning(node.text(needs).to_owned()));
            taken.immutable += node.immutable as usize;
            taken.mutable += node.mutable as usize;
        }
    }
    (chosen, taken)
}
