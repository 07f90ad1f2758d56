//! Components that are small files and too expensive to compile: refused by what can be counted
//! first, or ended with the process that compiles them.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wasm_encoder::{
    Alias, BlockType, CodeSection, Component, ComponentAliasSection, ComponentExportKind,
    ComponentExportSection, ComponentInstanceSection, ComponentOuterAliasKind, ConstExpr, Function,
    FunctionSection, GlobalSection, GlobalType, InstanceSection, Module, ModuleArg, ModuleSection,
    NestedComponentSection, TypeSection, ValType,
};

use crate::harness::Case;
use crate::sandbox::{lines, recipe};

/// No arguments, no exports.
const NONE: [(&str, ComponentExportKind, u32); 0] = [];

/// Refused at once, before anything starts, with a message that has `parts`.
#[track_caller]
fn refused(component: impl AsRef<[u8]>, parts: &[&str]) {
    let mut case = Case::with_input(lines(3, &[]).concat());
    case.write("plugins/bomb.wasm", component);
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    let started = Instant::now();
    case.run(&recipe("bomb_filter", "behave", ""))
        .failed(2, parts)
        .failed(2, &["plugins/bomb.wasm: this component"]);
    assert!(!case.path("work").exists(), "something was started");
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "it took {:?}",
        started.elapsed()
    );
}

/// A component with one function.
fn with_function(function: &Function, copies: u32) -> Component {
    let (mut types, mut functions, mut code) = (
        TypeSection::new(),
        FunctionSection::new(),
        CodeSection::new(),
    );
    types.ty().function([], []);
    for _ in 0..copies {
        functions.function(0);
        code.function(function);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    looks_like_an_operator(&mut component);
    component
}

/// Makes its exports pass the check of names.
fn looks_like_an_operator(component: &mut Component) {
    let mut instances = ComponentInstanceSection::new();
    instances.export_items(NONE);
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    exports.export(
        "djhost:op/ops@0.1.0",
        ComponentExportKind::Instance,
        0,
        None,
    );
    component.section(&exports);
}

/// A component that instantiates its own component 0 `times` times.
fn instantiates(times: usize) -> ComponentInstanceSection {
    let mut instances = ComponentInstanceSection::new();
    for _ in 0..times {
        instances.instantiate(0, NONE);
    }
    instances
}

/// The innermost component: a module with an instance.
fn with_a_module() -> Component {
    let mut component = Component::new();
    component.section(&ModuleSection(&Module::new()));
    let mut instances = wasm_encoder::InstanceSection::new();
    instances.instantiate(0, [] as [(&str, ModuleArg); 0]);
    component.section(&instances);
    component
}

#[test]
fn components_in_components() {
    let nested = |levels: usize, times: usize| {
        (0..levels).fold(with_a_module(), |inner, _| {
            let mut outer = Component::new();
            outer
                .section(&NestedComponentSection(&inner))
                .section(&instantiates(times));
            outer
        })
    };
    refused(
        nested(30, 2).finish(),
        &["nests components more than 10 deep"],
    );
    refused(
        nested(8, 4).finish(),
        &["would have more than 1000 instances"],
    );
    refused(
        nested(2_000, 1).finish(),
        &["nests components more than 10 deep"],
    );
}

/// Components side by side, each with two instances of the previous one: nothing is nested deeply.
#[test]
fn components_beside_components() {
    let mut all = Component::new();
    all.section(&NestedComponentSection(&with_a_module()));
    for before in 0..30 {
        let mut next = Component::new();
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::Outer {
            kind: ComponentOuterAliasKind::Component,
            count: 1,
            index: before,
        });
        next.section(&aliases).section(&instantiates(2));
        all.section(&NestedComponentSection(&next));
    }
    let mut last = ComponentInstanceSection::new();
    last.instantiate(30, NONE);
    all.section(&last);
    refused(all.finish(), &["would have more than 1000 instances"]);
}

#[test]
fn functions_too_large_to_compile() {
    let mut function = Function::new([]);
    for _ in 0..1_500_000 {
        function.instructions().i32_const(1).drop();
    }
    function.instructions().end();
    refused(
        with_function(&function, 1).finish(),
        &["has a function of 4500", "1048576 are allowed"],
    );
    let mut function = Function::new([(50_000, ValType::I64)]);
    function.instructions().end();
    refused(
        with_function(&function, 500).finish(),
        &["has more than 20000000 local variables"],
    );
}

/// Nested `loops`, the innermost of which uses `locals` variables: each loop must pass on each of
/// them.
fn tangle(loops: u32, locals: u32) -> Component {
    let mut function = Function::new([(locals, ValType::I64)]);
    for _ in 0..loops {
        function.instructions().loop_(BlockType::Empty);
    }
    for local in 0..locals {
        function.instructions().local_get(local).drop();
    }
    for _ in 0..loops {
        function.instructions().i32_const(0).br_if(0).end();
    }
    function.instructions().end();
    with_function(&function, 1)
}

#[test]
fn a_function_that_takes_the_memory_of_its_compiler() {
    refused(
        tangle(60_000, 30_000).finish(),
        &["this component cannot be compiled: it takes more than"],
    );
}

#[test]
fn a_function_that_takes_the_time_of_its_compiler() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .args(["compile-plugin", "4000000000", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(&tangle(3_000, 30_000).finish());
    let status = child.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(libc::SIGXCPU),
        "{status}"
    );
}

/// Neither limit of memory counts what an instance holds outside of its linear memory.
#[test]
fn state_of_many_instances() {
    let mut globals = GlobalSection::new();
    for _ in 0..300_000 {
        globals.global(
            GlobalType {
                val_type: ValType::I32,
                mutable: true,
                shared: false,
            },
            &ConstExpr::i32_const(0),
        );
    }
    let mut module = Module::new();
    module.section(&globals);
    let component = |times: usize| {
        let mut component = Component::new();
        component.section(&ModuleSection(&module));
        let mut instances = InstanceSection::new();
        for _ in 0..times {
            instances.instantiate::<[(&str, ModuleArg); 0], &str>(0, []);
        }
        component.section(&instances);
        looks_like_an_operator(&mut component);
        component
    };
    refused(
        component(7).finish(),
        &["would have more than 2000000 functions, globals, tables"],
    );
    // The same within another component that is instantiated several times.
    let mut outer = Component::new();
    outer.section(&NestedComponentSection(&component(2)));
    outer.section(&instantiates(4));
    looks_like_an_operator(&mut outer);
    refused(outer.finish(), &["would have more than 2000000 functions"]);
}
