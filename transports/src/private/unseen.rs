//! What stands for a field that somebody does not see.

/// A field with a `view`, where a value lacks it: so it is in every mirror of who does not have the view.
#[diagnostic::on_unimplemented(
    message = "a field with a `view` needs something to be for those who do not see it",
    label = "`{Self}` is not `Default`",
    note = "implement `Default` for it, make it an `Option`, or say `default = function`"
)]
pub trait Unseen: Sized {
    /// What it is then.
    fn unseen() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> Unseen for T {
    fn unseen() -> Self {
        Self::default()
    }
}
