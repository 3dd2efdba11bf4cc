//! A workload of which a test says what it does.

use parsim::task::{Column, Outcome, Task};
use parsim::testing::process::Interrupt;
use parsim::workload::{Cx, Product, Results, Tasks, Workload, numbered};

type Job<'a> = dyn Fn(&Task, &mut Cx<'_>) -> Outcome + Sync + 'a;

type Products<'a> = dyn Fn(&Column, &dyn Fn(u64) -> bool, &Interrupt) -> Vec<Product> + Sync + 'a;

/// Tasks that do nothing, unless something else is said.
pub(crate) struct Scripted<'a> {
    tasks: Box<dyn Fn() -> Tasks<'static> + Sync + 'a>,
    job: Box<Job<'a>>,
    products: Option<Box<Products<'a>>>,
}

impl<'a> Scripted<'a> {
    /// So many tasks, named by their numbers.
    pub(crate) fn numbered(n_tasks: u64) -> Self {
        Self::of(move || numbered(n_tasks))
    }

    /// These tasks.
    pub(crate) fn of(tasks: impl Fn() -> Tasks<'static> + Sync + 'a) -> Self {
        Self { tasks: Box::new(tasks), job: Box::new(|_, _| Outcome::Success), products: None }
    }

    /// What each does.
    pub(crate) fn job(self, job: impl Fn(&Task, &mut Cx<'_>) -> Outcome + Sync + 'a) -> Self {
        Self { job: Box::new(job), ..self }
    }

    /// What a run leaves behind in a column: those that are wanted, unless interrupted.
    pub(crate) fn products(
        self,
        products: impl Fn(&Column, &dyn Fn(u64) -> bool, &Interrupt) -> Vec<Product> + Sync + 'a,
    ) -> Self {
        Self { products: Some(Box::new(products)), ..self }
    }
}

impl Workload for Scripted<'_> {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn tasks(&self) -> Tasks<'_> {
        (self.tasks)()
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        (self.job)(task, cx)
    }

    fn results(&self) -> Option<&dyn Results> {
        self.products.as_ref().map(|_| self as &dyn Results)
    }
}

impl Results for Scripted<'_> {
    fn products(
        &self,
        column: &Column,
        wanted: &dyn Fn(u64) -> bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Vec<Product>>> {
        Ok(self.products.as_ref().map(|products| products(column, wanted, interrupt)))
    }
}
