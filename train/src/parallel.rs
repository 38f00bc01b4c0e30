//! The same work for many things on all cores. Each thing is worked on by one thread, so that its sums are always added in
//! the same order, and the results come in the order of the things: the same bits on any number of cores.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;

/// Threads that this machine can run at once.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get())
}

/// So many threads for one piece of work.
pub fn on_threads<T: Send>(count: usize, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    rayon::ThreadPoolBuilder::new().num_threads(count).build()?.install(work)
}

/// `work` of every item by up to `threads` threads. Each thread has what `start` makes it; `done` is called after every
/// item. The first error ends it.
pub fn map<T: Sync, S, R: Send>(
    threads: usize,
    items: &[T],
    start: impl Fn() -> Result<S> + Sync,
    work: impl Fn(&mut S, &T) -> Result<R> + Sync,
    done: &(dyn Fn() + Sync),
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let one_by_one = || {
        let mut state = start()?;
        let mut results = Vec::new();
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            results.push((index, work(&mut state, item)?));
            done();
        }
        Ok(results)
    };
    let worker = || {
        let results = on_threads(1, one_by_one);
        if results.is_err() {
            next.store(items.len(), Ordering::Relaxed);
        }
        results
    };
    let results: Vec<Result<Vec<(usize, R)>>> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads.clamp(1, items.len().max(1))).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut all = Vec::with_capacity(items.len());
    for results in results {
        all.extend(results?);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_and_the_first_error_ends_it() {
        let items: Vec<usize> = (0..100).collect();
        let count = AtomicUsize::new(0);
        let done = || _ = count.fetch_add(1, Ordering::Relaxed);
        let double = |_: &mut (), &item: &usize| Ok(2 * item);
        let doubled = map(7, &items, || Ok(()), double, &done).expect("nothing fails");
        assert_eq!(doubled, (0..100).map(|item| 2 * item).collect::<Vec<_>>());
        assert_eq!(count.load(Ordering::Relaxed), 100);
        let seven = |_: &mut (), &item: &usize| match item {
            7 => anyhow::bail!("seven"),
            item => Ok(item),
        };
        assert_eq!(map(3, &items, || Ok(()), seven, &|| ()).expect_err("7").to_string(), "seven");
        assert!(map(3, &[] as &[usize], || Ok(()), seven, &|| ()).expect("nothing to do").is_empty());
    }
}
