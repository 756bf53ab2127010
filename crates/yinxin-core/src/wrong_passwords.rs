//! Passwords that were wrong: counted in memory where they are tried, and in a cluster on record, too, so that trying them
//! at one node after the other gains nothing.

use yinxin_store::AppId;
use yinxin_store::tables::password_failures;

use std::net::IpAddr;

use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::FORGIVEN_SWEPT;
use crate::rates::{Forgiving, Network, Whose};

/// Somebody's password that is tried from somewhere.
#[derive(Clone, Copy)]
pub(crate) struct Trial<'a> {
    pub app: AppId,
    pub whose: Whose<'a>,
    pub from: IpAddr,
}

impl Trial<'_> {
    /// Counts it as wrong before it is checked, so that guesses made at once do not pass the limit together. Refuses it when
    /// that user has too many from that address.
    pub async fn begin(&self, ctx: &Ctx) -> Result<()> {
        ctx.rates.password_tried(self.app, self.whose, self.from)?;
        if ctx.cluster.is_none() {
            return Ok(());
        }
        let refused = match self.on_record(ctx).await {
            Ok(forgiven_ms) if ctx.rates.forgiving().has_room(forgiven_ms, ctx.clock.now_ms()) => return Ok(()),
            Ok(_) => Error::from(Code::RateLimited),
            Err(error) => error,
        };
        self.was_not_wrong(ctx);
        Err(refused)
    }

    /// Takes back what was counted: the password was right, or was not checked.
    pub fn was_not_wrong(&self, ctx: &Ctx) {
        ctx.rates.password_not_wrong(self.app, self.whose, self.from);
    }

    /// Tells the other nodes.
    pub async fn was_wrong(&self, ctx: &Ctx) -> Result<()> {
        if ctx.cluster.is_none() {
            return Ok(());
        }
        let input = (self.app, self.key(ctx), ctx.rates.forgiving(), ctx.clock.now_ms(), ctx.swept(FORGIVEN_SWEPT));
        ctx.db
            .write(input, |sql, (app, key, forgiving, now_ms, swept)| {
                Box::pin(async move {
                    crate::apps::must_exist(sql, *app).await?;
                    let before = password_failures::forgiven_ms(sql, *app, key).await?;
                    password_failures::put(sql, *app, key, forgiving.after_one_more(before, *now_ms)).await?;
                    if *swept > 0 {
                        password_failures::remove_forgiven(sql, *app, *now_ms, *swept).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .await
    }

    async fn on_record(&self, ctx: &Ctx) -> Result<Option<i64>> {
        ctx.db
            .read((self.app, self.key(ctx)), |sql, (app, key)| {
                Box::pin(async move { Ok::<_, Error>(password_failures::forgiven_ms(sql, *app, key).await?) })
            })
            .await
    }

    /// Says nothing of a user or an address to whoever reads the row.
    fn key(&self, ctx: &Ctx) -> [u8; 32] {
        let mut text = b"wrong password".to_vec();
        text.extend(self.app.0);
        text.extend(Network::of(self.from).bytes());
        match self.whose {
            Whose::User(user) => {
                text.push(b'u');
                text.extend(user.0);
            }
            Whose::Nobody(name) => {
                text.push(b'n');
                text.extend(name.as_bytes());
            }
        }
        ctx.keys.disguise(&text)
    }
}

impl Forgiving {
    /// Whether one more wrong password is borne.
    fn has_room(self, forgiven_ms: Option<i64>, now_ms: i64) -> bool {
        self.after_one_more(forgiven_ms, now_ms) - now_ms <= self.most_ms()
    }

    /// When all is forgiven after one more; a time further ahead than may be was left by a clock that was set back.
    fn after_one_more(self, forgiven_ms: Option<i64>, now_ms: i64) -> i64 {
        let before = forgiven_ms.unwrap_or(now_ms).max(now_ms);
        let before = if before - now_ms > self.most_ms() + self.every_ms { now_ms } else { before };
        before + self.every_ms
    }

    fn most_ms(self) -> i64 {
        self.every_ms.saturating_mul(i64::from(self.burst))
    }
}
