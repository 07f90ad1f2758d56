//! Estimates from a component's bytes what compiling it would cost. A few kilobytes can mean
//! billions of instances: a component that instantiates another one twice, which does the same, and
//! so on. The engine unfolds all of them before it compiles anything.
//!
//! For scale: a Python interpreter with its library has 67 instances, 1,900 items, 13,000 functions
//! of 6.5 MB in all and 48,000 locals; its largest function has 430 kB. JavaScript's has functions
//! of up to 180 kB.

use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, Encoding, Instance, Payload,
};

/// Nesting of components and modules.
const MAX_DEPTH: usize = 10;
/// Instances of modules and components at run time.
const MAX_INSTANCES: u64 = 1_000;
/// Types, functions, aliases, imports, exports and the like in all these instances.
const MAX_ITEMS: u64 = 200_000;
/// Functions, globals, tables, memories, segments and imports of the modules of all these
/// instances. Each takes 16 to 32 bytes of an instance, so all of them 64 MB at most.
const MAX_STATE: u64 = 2_000_000;
/// Bytes of one function. The time and memory to compile it can grow faster than its size.
const MAX_FUNCTION: usize = 1 << 20;
/// Bytes of all functions.
const MAX_CODE: u64 = 128 << 20;
/// Local variables of all functions; three bytes can declare 50,000 of them.
const MAX_LOCALS: u64 = 20_000_000;

/// Measures a component while it is parsed.
#[derive(Default)]
pub(crate) struct Bounds {
    /// The open component and what is nested in it; None is a module.
    open: Vec<Option<Outline>>,
    /// What an instance of the module that is being read holds; modules hold no others.
    module: u64,
    code: u64,
    locals: u64,
}

/// A component as read so far.
#[derive(Default)]
struct Outline {
    /// The cost of one instance.
    size: Size,
    /// Its index space of components; None for one known only at instantiation.
    components: Vec<Option<Size>>,
    /// The same of modules, and what an instance of each holds.
    modules: Vec<Option<u64>>,
}

#[derive(Clone, Copy, Default)]
struct Size {
    instances: u64,
    items: u64,
    state: u64,
}

/// Why a component is refused.
pub(crate) enum Refused {
    /// It is malformed.
    Invalid(BinaryReaderError),
    /// It exceeds a bound, which the text names.
    TooLarge(String),
}

impl From<BinaryReaderError> for Refused {
    fn from(error: BinaryReaderError) -> Self {
        Self::Invalid(error)
    }
}

impl Bounds {
    /// Nesting depth of the current position.
    pub(crate) fn depth(&self) -> usize {
        self.open.len().saturating_sub(1)
    }

    /// Adds the next part of the component. Fails as soon as it exceeds a bound.
    pub(crate) fn see(&mut self, payload: &Payload<'_>) -> Result<(), Refused> {
        match payload {
            Payload::Version { encoding, .. } => {
                if self.open.len() > MAX_DEPTH {
                    return Err(too_large(format!(
                        "nests components more than {MAX_DEPTH} deep"
                    )));
                }
                self.module = 0;
                self.open
                    .push(matches!(encoding, Encoding::Component).then(Outline::default));
            }
            Payload::End(_) => {
                let closed = self.open.pop().flatten();
                if let Some(Some(around)) = self.open.last_mut() {
                    match closed {
                        Some(component) => around.components.push(Some(component.size)),
                        None => around.modules.push(Some(self.module)),
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let bytes = body.range().len();
                if bytes > MAX_FUNCTION {
                    return Err(too_large(format!(
                        "has a function of {bytes} bytes; {MAX_FUNCTION} are allowed"
                    )));
                }
                self.code += bytes as u64;
                for group in body.get_locals_reader()? {
                    self.locals += u64::from(group?.0);
                }
                if self.code > MAX_CODE {
                    return Err(too_large(format!(
                        "has more than {} MB of functions",
                        MAX_CODE >> 20
                    )));
                }
                if self.locals > MAX_LOCALS {
                    return Err(too_large(format!(
                        "has more than {MAX_LOCALS} local variables"
                    )));
                }
            }
            _ => self.item(payload)?,
        }
        Ok(())
    }

    /// Counts the items that a component's section defines; a module's contents count as code.
    fn item(&mut self, payload: &Payload<'_>) -> Result<(), Refused> {
        let Some((Some(outline), outer)) = self.open.split_last_mut() else {
            self.module = self.module.saturating_add(state(payload));
            return Ok(());
        };
        match payload {
            Payload::ComponentTypeSection(section) => outline.add(0, u64::from(section.count()))?,
            Payload::CoreTypeSection(section) => outline.add(0, u64::from(section.count()))?,
            Payload::ComponentCanonicalSection(section) => {
                outline.add(0, u64::from(section.count()))?
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    match instance? {
                        Instance::Instantiate { module_index, args } => {
                            let module = outline.modules.get(module_index as usize);
                            let state = module.copied().flatten().ok_or_else(|| {
                                too_large(
                                    "instantiates a module that is only known when it runs".into(),
                                )
                            })?;
                            outline.add(1, args.len() as u64 + 1)?;
                            outline.hold(state)?
                        }
                        Instance::FromExports(exports) => {
                            outline.add(0, exports.len() as u64 + 1)?
                        }
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    match instance? {
                        ComponentInstance::Instantiate {
                            component_index,
                            args,
                        } => {
                            let inner = outline
                                .components
                                .get(component_index as usize)
                                .copied()
                                .flatten();
                            let inner = inner.ok_or_else(|| {
                                too_large(
                                    "instantiates a component that is only known when it runs"
                                        .into(),
                                )
                            })?;
                            outline.add(
                                inner.instances.saturating_add(1),
                                inner.items.saturating_add(args.len() as u64 + 1),
                            )?;
                            outline.hold(inner.state)?;
                        }
                        ComponentInstance::FromExports(exports) => {
                            outline.add(0, exports.len() as u64 + 1)?
                        }
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    outline.add(0, 1)?;
                    match alias? {
                        ComponentAlias::InstanceExport {
                            kind: ComponentExternalKind::Component,
                            ..
                        } => outline.components.push(None),
                        ComponentAlias::InstanceExport {
                            kind: ComponentExternalKind::Module,
                            ..
                        } => outline.modules.push(None),
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::CoreModule,
                            count,
                            index,
                        } => {
                            let from = around(outline, outer, count);
                            let module = from.and_then(|from| {
                                from.modules.get(index as usize).copied().flatten()
                            });
                            outline.modules.push(module);
                        }
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::Component,
                            count,
                            index,
                        } => {
                            let from = around(outline, outer, count);
                            let inner = from.and_then(|from| {
                                from.components.get(index as usize).copied().flatten()
                            });
                            outline.components.push(inner);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    outline.add(0, 1)?;
                    match import?.ty {
                        ComponentTypeRef::Component(_) => outline.components.push(None),
                        ComponentTypeRef::Module(_) => outline.modules.push(None),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    outline.add(0, 1)?;
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        let inner = outline
                            .components
                            .get(export.index as usize)
                            .copied()
                            .flatten();
                        outline.components.push(inner);
                    }
                    if export.kind == ComponentExternalKind::Module {
                        let module = outline.modules.get(export.index as usize);
                        outline.modules.push(module.copied().flatten());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The component `count` levels around the one that is read.
fn around<'a>(
    outline: &'a Outline,
    outer: &'a [Option<Outline>],
    count: u32,
) -> Option<&'a Outline> {
    match count.checked_sub(1) {
        None => Some(outline),
        Some(up) => outer.iter().rev().nth(up as usize).and_then(Option::as_ref),
    }
}

/// How much of what an instance of a module holds a section of it defines.
fn state(payload: &Payload<'_>) -> u64 {
    u64::from(match payload {
        Payload::ImportSection(section) => section.count(),
        Payload::FunctionSection(section) => section.count(),
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::TagSection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        _ => 0,
    })
}

impl Outline {
    fn hold(&mut self, state: u64) -> Result<(), Refused> {
        self.size.state = self.size.state.saturating_add(state);
        if self.size.state > MAX_STATE {
            return Err(too_large(format!(
                "would have more than {MAX_STATE} functions, globals, tables and the like in its instances"
            )));
        }
        Ok(())
    }

    fn add(&mut self, instances: u64, items: u64) -> Result<(), Refused> {
        self.size.instances = self.size.instances.saturating_add(instances);
        self.size.items = self.size.items.saturating_add(items);
        if self.size.instances > MAX_INSTANCES {
            return Err(too_large(format!(
                "would have more than {MAX_INSTANCES} instances"
            )));
        }
        if self.size.items > MAX_ITEMS {
            return Err(too_large(format!(
                "would have more than {MAX_ITEMS} types, functions and the like in its instances"
            )));
        }
        Ok(())
    }
}

fn too_large(message: String) -> Refused {
    Refused::TooLarge(message)
}
