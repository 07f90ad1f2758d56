//! Changing a tree.

use super::{Dom, Id, NIL, Tag, Tags};

impl Dom {
    /// Takes an element with its tail out of its tree.
    pub(crate) fn detach(&mut self, id: Id) {
        let node = *self.node(id);
        if node.parent == NIL {
            return;
        }
        match node.prev {
            NIL => self.nodes[node.parent as usize].first = node.next,
            prev => self.nodes[prev as usize].next = node.next,
        }
        match node.next {
            NIL => self.nodes[node.parent as usize].last = node.prev,
            next => self.nodes[next as usize].prev = node.prev,
        }
        let node = self.node_mut(id);
        node.parent = NIL;
        node.prev = NIL;
        node.next = NIL;
    }

    /// Moves an element with its tail to the end of another.
    pub(crate) fn append(&mut self, parent: Id, child: Id) {
        self.detach(child);
        let last = self.node(parent).last;
        self.node_mut(child).parent = parent.0;
        self.node_mut(child).prev = last;
        match last {
            NIL => self.node_mut(parent).first = child.0,
            last => self.nodes[last as usize].next = child.0,
        }
        self.node_mut(parent).last = child.0;
    }

    /// Moves an element with its tail to right before another.
    pub(crate) fn insert_before(&mut self, next: Id, child: Id) {
        self.detach(child);
        let node = *self.node(next);
        let fresh = self.node_mut(child);
        fresh.parent = node.parent;
        fresh.prev = node.prev;
        fresh.next = next.0;
        self.node_mut(next).prev = child.0;
        match node.prev {
            NIL => self.nodes[node.parent as usize].first = child.0,
            prev => self.nodes[prev as usize].next = child.0,
        }
    }

    /// Moves an element to the start of another, before its first child.
    pub(crate) fn prepend(&mut self, parent: Id, child: Id) {
        match self.first(parent) {
            Some(first) => self.insert_before(first, child),
            None => self.append(parent, child),
        }
    }

    /// Adds a text behind what is before `id` in its parent.
    fn add_before(&mut self, id: Id, text: super::Span) {
        if text.is_empty() {
            return;
        }
        if let Some(prev) = self.prev(id) {
            let joined = self.join(self.tail(prev), text);
            self.set_tail(prev, joined);
        } else if let Some(parent) = self.parent(id) {
            let joined = self.join(self.text(parent), text);
            self.set_text(parent, joined);
        }
    }

    /// Removes an element and what is in it. Its tail stays in the tree.
    pub(crate) fn remove(&mut self, id: Id) {
        if self.parent(id).is_some() {
            self.add_before(id, self.tail(id));
            self.detach(id);
        }
    }

    /// Removes an element, what is in it, and its tail.
    pub(crate) fn remove_with_tail(&mut self, id: Id) {
        self.detach(id);
    }

    /// Puts what is in an element in its place.
    pub(crate) fn unwrap(&mut self, id: Id) {
        if self.parent(id).is_none() {
            return;
        }
        self.add_before(id, self.text(id));
        let tail = self.tail(id);
        match self.last(id) {
            Some(last) => {
                let joined = self.join(self.tail(last), tail);
                self.set_tail(last, joined);
                let node = *self.node(id);
                let mut child = node.first;
                while child != NIL {
                    self.nodes[child as usize].parent = node.parent;
                    child = self.nodes[child as usize].next;
                }
                self.nodes[node.first as usize].prev = node.prev;
                self.nodes[node.last as usize].next = node.next;
                match node.prev {
                    NIL => self.nodes[node.parent as usize].first = node.first,
                    prev => self.nodes[prev as usize].next = node.first,
                }
                match node.next {
                    NIL => self.nodes[node.parent as usize].last = node.last,
                    next => self.nodes[next as usize].prev = node.last,
                }
                let node = self.node_mut(id);
                (node.parent, node.prev, node.next) = (NIL, NIL, NIL);
                (node.first, node.last) = (NIL, NIL);
            }
            None => {
                self.add_before(id, tail);
                self.detach(id);
            }
        }
    }

    /// Unwraps all in `top` with one of these names.
    pub(crate) fn unwrap_all(&mut self, top: Id, tags: Tags) {
        for id in self.find_all(top, tags) {
            self.unwrap(id);
        }
    }

    /// Unwraps all in `top` whose name is not one of these.
    pub(crate) fn unwrap_others(&mut self, top: Id, tags: Tags) {
        let others: Vec<Id> = self
            .descendants(top)
            .filter(|&id| !tags.has(self.tag(id)))
            .collect();
        for id in others {
            self.unwrap(id);
        }
    }

    /// Removes all in `top` of this name, with their tails.
    pub(crate) fn strip_elements(&mut self, top: Id, tag: Tag) {
        for id in self.find_all(top, Tags::of(&[tag])) {
            self.remove_with_tail(id);
        }
    }

    /// A copy of `top` with its tail and all in it. The copies have consecutive ids in the order
    /// in which the elements begin.
    pub(crate) fn copy(&mut self, top: Id) -> Id {
        let copy = Id(self.nodes.len() as u32);
        let (mut from, mut parent) = (top, NIL);
        loop {
            let index = self.nodes.len() as u32;
            let mut node = *self.node(from);
            (node.first, node.last, node.next) = (NIL, NIL, NIL);
            node.parent = parent;
            node.prev = NIL;
            if parent != NIL {
                node.prev = self.nodes[parent as usize].last;
                match node.prev {
                    NIL => self.nodes[parent as usize].first = index,
                    prev => self.nodes[prev as usize].next = index,
                }
                self.nodes[parent as usize].last = index;
            }
            self.nodes.push(node);
            if let Some(child) = self.first(from) {
                (from, parent) = (child, index);
                continue;
            }
            loop {
                if from == top {
                    return copy;
                }
                if let Some(next) = self.next(from) {
                    from = next;
                    break;
                }
                let Some(up) = self.parent(from) else {
                    return copy;
                };
                from = up;
                parent = self.nodes[parent as usize].parent;
            }
        }
    }

    /// The element that [`Dom::copy`] made as number `index` after `copy`.
    pub(crate) fn copied(copy: Id, index: usize) -> Id {
        Id(copy.0 + index as u32)
    }

    /// A new last child.
    pub(crate) fn child(&mut self, parent: Id, tag: Tag) -> Id {
        let child = self.element(tag);
        self.append(parent, child);
        child
    }
}
