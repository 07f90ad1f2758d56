//! The tree that the parser builds: elements and texts, without attributes.

use html5ever::interface::{ElementFlags, ExpandedName, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName, expanded_name, local_name, ns};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};

/// A node with its name, which the parser often asks for.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    id: u32,
    ns: Namespace,
    local: LocalName,
    integration_point: bool,
}

const NONE: u32 = u32::MAX;

/// A node's place in the tree, and for a text its bytes in the buffer.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    previous: u32,
    next: u32,
    first: u32,
    last: u32,
    depth: u32,
    text: Option<(u32, u32)>,
}

const LOOSE: Node = Node {
    parent: NONE,
    previous: NONE,
    next: NONE,
    first: NONE,
    last: NONE,
    depth: 0,
    text: None,
};

/// The document. Node 0 is its root; contents of templates hang on nodes of their own.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: RefCell<Vec<Node>>,
    texts: RefCell<String>,
    /// Depth of the node that was appended last.
    depth: Cell<u32>,
}

impl Tree {
    pub(super) fn new(bytes: usize) -> Self {
        let nodes = RefCell::new(vec![LOOSE]);
        Self {
            nodes,
            texts: RefCell::new(String::with_capacity(bytes)),
            depth: Cell::new(0),
        }
    }

    /// Number of elements.
    pub(super) fn elements(&self) -> usize {
        self.nodes.borrow().len()
    }

    /// The parser's current depth in the tree.
    pub(super) fn depth(&self) -> u32 {
        self.depth.get()
    }

    /// Appends all texts in document order.
    pub(super) fn text(&self, out: &mut String) {
        let (nodes, texts) = (self.nodes.borrow(), self.texts.borrow());
        let mut at = 0;
        loop {
            let node = nodes[at as usize];
            if let Some((start, end)) = node.text {
                out.push_str(&texts[start as usize..end as usize]);
            }
            let mut next = node.first;
            while next == NONE {
                if at == 0 {
                    return;
                }
                next = nodes[at as usize].next;
                if next == NONE {
                    at = nodes[at as usize].parent;
                }
            }
            at = next;
        }
    }

    fn add(&self, node: Node) -> u32 {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node);
        (nodes.len() - 1) as u32
    }

    fn handle(&self, name: QualName, integration_point: bool) -> Handle {
        Handle {
            id: self.add(LOOSE),
            ns: name.ns,
            local: name.local,
            integration_point,
        }
    }

    /// Inserts a node or text before the child `before` of `parent`, or at the end.
    fn insert(&self, parent: u32, before: u32, child: NodeOrText<Handle>) {
        let previous = match before {
            NONE => self.nodes.borrow()[parent as usize].last,
            before => self.nodes.borrow()[before as usize].previous,
        };
        let id = match child {
            NodeOrText::AppendNode(handle) => {
                self.detach(handle.id);
                handle.id
            }
            NodeOrText::AppendText(text) => {
                let mut texts = self.texts.borrow_mut();
                let start = texts.len() as u32;
                texts.push_str(&text);
                let end = texts.len() as u32;
                // Consecutive texts become one.
                if previous != NONE
                    && let Some((_, last)) = &mut self.nodes.borrow_mut()[previous as usize].text
                    && *last == start
                {
                    *last = end;
                    return;
                }
                self.add(Node {
                    text: Some((start, end)),
                    ..LOOSE
                })
            }
        };
        self.link(parent, before, id);
    }

    fn link(&self, parent: u32, before: u32, id: u32) {
        let nodes = &mut *self.nodes.borrow_mut();
        let previous = if before == NONE {
            nodes[parent as usize].last
        } else {
            nodes[before as usize].previous
        };
        let depth = nodes[parent as usize].depth + 1;
        let node = &mut nodes[id as usize];
        (node.parent, node.previous, node.next, node.depth) = (parent, previous, before, depth);
        self.depth.set(depth);
        match previous {
            NONE => nodes[parent as usize].first = id,
            previous => nodes[previous as usize].next = id,
        }
        match before {
            NONE => nodes[parent as usize].last = id,
            before => nodes[before as usize].previous = id,
        }
    }

    fn detach(&self, id: u32) {
        let nodes = &mut *self.nodes.borrow_mut();
        let Node {
            parent,
            previous,
            next,
            ..
        } = nodes[id as usize];
        if parent == NONE {
            return;
        }
        match previous {
            NONE => nodes[parent as usize].first = next,
            previous => nodes[previous as usize].next = next,
        }
        match next {
            NONE => nodes[parent as usize].last = previous,
            next => nodes[next as usize].previous = previous,
        }
        let node = &mut nodes[id as usize];
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
    }
}

impl TreeSink for Tree {
    type Handle = Handle;
    type Output = Self;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle {
            id: 0,
            ns: ns!(),
            local: local_name!(""),
            integration_point: false,
        }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        ExpandedName {
            ns: &target.ns,
            local: &target.local,
        }
    }

    fn create_element(&self, name: QualName, _: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let template = name.expanded() == expanded_name!(html "template");
        let handle = self.handle(name, flags.mathml_annotation_xml_integration_point);
        if template {
            // Its content is the next node, outside of the tree.
            self.add(LOOSE);
        }
        handle
    }

    fn create_comment(&self, _: StrTendril) -> Handle {
        self.handle(QualName::new(None, ns!(), local_name!("")), false)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Handle {
        self.handle(QualName::new(None, ns!(), local_name!("")), false)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.insert(parent.id, NONE, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        if self.nodes.borrow()[element.id as usize].parent == NONE {
            self.append(previous, child);
        } else {
            self.append_before_sibling(element, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        Handle {
            id: target.id + 1,
            ns: ns!(),
            local: local_name!(""),
            integration_point: false,
        }
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        if let NodeOrText::AppendNode(node) = &child {
            self.detach(node.id);
        }
        let parent = self.nodes.borrow()[sibling.id as usize].parent;
        if parent != NONE {
            self.insert(parent, sibling.id, child);
        }
    }

    fn add_attrs_if_missing(&self, _: &Handle, _: Vec<Attribute>) {}

    fn remove_from_parent(&self, target: &Handle) {
        self.detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        let mut child = self.nodes.borrow()[node.id as usize].first;
        while child != NONE {
            let next = self.nodes.borrow()[child as usize].next;
            self.detach(child);
            self.link(new_parent.id, NONE, child);
            child = next;
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &Handle) -> bool {
        handle.integration_point
    }
}
