//! Whom a push is for, and who that is, a few at a time and each once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use yinxin_store::tables::handles::{self, NUMERIC_ID};
use yinxin_store::tables::{push, push_marks};
use yinxin_store::{AppId, Sql, UserId};

use super::marks;
use crate::apps::App;
use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::limits::{PUSH_TARGETS_MAX, PUSH_USERS_AT_ONCE};
use crate::sessions::device_id;
use crate::{push_tokens, users};

/// Whom a push is for.
#[derive(Clone, Debug)]
pub enum Audience {
    /// Every device of the app.
    All,
    /// Users with one of these tags.
    Tags(Vec<String>),
    /// Devices, and users, with one of these aliases.
    Aliases(Vec<String>),
    /// Users of these numbers. Those of nobody are left out.
    Numbers(Vec<i64>),
    /// Devices that these push tokens name. Those that name none here are left out.
    Devices(Vec<String>),
}

/// The same as it is kept: users by their numbers, so that one who is deleted meanwhile leaves nothing.
#[derive(Serialize, Deserialize)]
pub(super) enum Addressed {
    All,
    Tags(Vec<String>),
    Aliases(Vec<String>),
    Users(Vec<(i64, Devices)>),
}

/// Which devices of a user.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Devices {
    All,
    Of(BTreeSet<String>),
}

impl Devices {
    pub fn has(&self, device: &str) -> bool {
        match self {
            Self::All => true,
            Self::Of(devices) => devices.contains(device),
        }
    }
}

/// Where in an audience one is: which of its items, and behind which user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    item: usize,
    after: u128,
}

impl Place {
    fn user(self) -> UserId {
        UserId(self.after.to_be_bytes())
    }
}

pub(super) async fn resolve(ctx: &Ctx, app: &App, audience: Audience) -> Result<Addressed> {
    Ok(match audience {
        Audience::All => Addressed::All,
        Audience::Tags(tags) => Addressed::Tags(checked("tag", tags)?),
        Audience::Aliases(aliases) => Addressed::Aliases(checked("alias", aliases)?),
        Audience::Numbers(numbers) => {
            count(&numbers)?;
            let distinct: BTreeSet<i64> = numbers.into_iter().collect();
            Addressed::Users(distinct.into_iter().map(|number| (number, Devices::All)).collect())
        }
        Audience::Devices(tokens) => {
            count(&tokens)?;
            Addressed::Users(opened(ctx, app, &tokens).await?)
        }
    })
}

fn count<T>(list: &[T]) -> Result<()> {
    match list.len() {
        0 => Err(Error::about(Code::FieldIllegal, "audience")),
        1..=PUSH_TARGETS_MAX => Ok(()),
        _ => Err(Error::over(Code::PushAudienceTooLarge, PUSH_TARGETS_MAX)),
    }
}

fn checked(field: &str, given: Vec<String>) -> Result<Vec<String>> {
    count(&given)?;
    given.iter().try_for_each(|mark| marks::check(field, mark))?;
    Ok(given.into_iter().collect::<BTreeSet<_>>().into_iter().collect())
}

async fn opened(ctx: &Ctx, app: &App, tokens: &[String]) -> Result<Vec<(i64, Devices)>> {
    let mut devices: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for token in tokens {
        match push_tokens::open(ctx, app, token).await {
            Ok((user, device)) => {
                let number = users::number_of(ctx, app, &user).await?;
                devices.entry(number).or_default().insert(device_id(&device));
            }
            Err(error) if error.code == Code::FieldIllegal => {}
            Err(error) => return Err(error),
        }
    }
    Ok(devices.into_iter().map(|(number, devices)| (number, Devices::Of(devices))).collect())
}

/// Some of an audience, and where the rest begins, if there is more.
pub(super) type Page = (Vec<(UserId, Devices)>, Option<Place>);

impl Addressed {
    /// Those from that place on.
    pub async fn page(&self, sql: &mut dyn Sql, app: AppId, place: Place) -> Result<Page> {
        let limit = i64::try_from(PUSH_USERS_AT_ONCE).unwrap_or(i64::MAX);
        let (found, items) = match self {
            Self::Users(users) => return named(sql, app, users, place.item).await,
            Self::All => (push::users(sql, app, place.user(), limit).await?, 1),
            Self::Tags(tags) => match tags.get(place.item) {
                Some(tag) => (push_marks::tagged(sql, app, tag, place.user(), limit).await?, tags.len()),
                None => return Ok((Vec::new(), None)),
            },
            Self::Aliases(aliases) => match aliases.get(place.item) {
                Some(alias) => (push_marks::aliased(sql, app, alias, place.user(), limit).await?, aliases.len()),
                None => return Ok((Vec::new(), None)),
            },
        };
        let next = match found.last() {
            Some(last) if found.len() == PUSH_USERS_AT_ONCE => {
                Some(Place { item: place.item, after: u128::from_be_bytes(last.0) })
            }
            _ => Some(Place { item: place.item + 1, after: 0 }).filter(|next| next.item < items),
        };
        let mut page = Vec::with_capacity(found.len());
        for user in found {
            page.extend(self.devices(sql, app, user, place.item).await?.map(|devices| (user, devices)));
        }
        Ok((page, next))
    }

    /// Which devices of a user that the item found; `None` for one whom an item before has found.
    async fn devices(&self, sql: &mut dyn Sql, app: AppId, user: UserId, item: usize) -> Result<Option<Devices>> {
        Ok(match self {
            Self::All | Self::Users(_) => Some(Devices::All),
            Self::Tags(_) if item == 0 => Some(Devices::All),
            Self::Tags(tags) => {
                let has = push_marks::tags(sql, app, user).await?;
                let is_new = !has.iter().any(|tag| tags[..item].contains(tag));
                is_new.then_some(Devices::All)
            }
            Self::Aliases(aliases) => {
                let mut has = push_marks::aliases(sql, app, user).await?;
                has.retain(|(_, alias)| aliases.contains(alias));
                let is_new = !has.iter().any(|(_, alias)| aliases[..item].contains(alias));
                let is_whole = has.iter().any(|(device, _)| device.is_empty());
                let of = || Devices::Of(has.into_iter().map(|(device, _)| device).collect());
                is_new.then(|| if is_whole { Devices::All } else { of() })
            }
        })
    }
}

async fn named(sql: &mut dyn Sql, app: AppId, users: &[(i64, Devices)], first: usize) -> Result<Page> {
    let behind = (first + PUSH_USERS_AT_ONCE).min(users.len());
    let mut page = Vec::with_capacity(PUSH_USERS_AT_ONCE);
    for (number, devices) in users.get(first..behind).unwrap_or_default() {
        let user = handles::find(sql, app, NUMERIC_ID, &number.to_string()).await?;
        page.extend(user.map(|user| (user, devices.clone())));
    }
    Ok((page, Some(Place { item: behind, after: 0 }).filter(|_| behind < users.len())))
}
