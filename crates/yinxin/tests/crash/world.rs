//! What a client's writes have made of its few people, and what each write will make of them.

use std::collections::BTreeSet;

use crate::random::Random;

/// People of one client.
pub const PEOPLE: usize = 5;

/// Somebody as the calls show it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    pub password: String,
    pub banned: bool,
    pub nickname: Option<String>,
    pub mood: Option<String>,
    /// Which of the mobiles of its kind it has bound.
    pub mobile: Option<usize>,
    /// Which of the names of its kind it has taken in place of its own.
    pub called: Option<usize>,
    /// Whoever asks is its contact at once.
    pub is_open: bool,
    /// Who has asked, and waits for an answer.
    pub asked_by: BTreeSet<usize>,
    /// The token of the one device that is bound for pushes.
    pub device: Option<String>,
    pub contacts: BTreeSet<usize>,
    pub blocks: BTreeSet<usize>,
    /// A token that works: of the last login, if nothing has ended it.
    pub token: Option<String>,
}

/// All people; `None` where nobody is registered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct World(pub [Option<Person>; PEOPLE]);

/// One write, or a login. People are numbers; texts are new each time.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Registers one or, all at once, several.
    Register {
        who: Vec<usize>,
        password: String,
    },
    /// Registers one in the dialect whose users are open.
    Join {
        who: usize,
        password: String,
    },
    Delete {
        who: usize,
    },
    SetPassword {
        who: usize,
        password: String,
    },
    Ban {
        who: usize,
    },
    Unban {
        who: usize,
    },
    Rename {
        who: usize,
        nickname: String,
    },
    BindMobile {
        who: usize,
        mobile: usize,
    },
    /// Is called by another name from now on.
    TakeName {
        who: usize,
        name: usize,
    },
    /// Asks to be a contact.
    Apply {
        who: usize,
        whom: usize,
    },
    /// Answers with a yes.
    Accept {
        who: usize,
        whom: usize,
    },
    /// An attribute.
    Feel {
        who: usize,
        mood: String,
    },
    /// A device for pushes.
    Bind {
        who: usize,
        device: String,
    },
    Befriend {
        who: usize,
        whom: usize,
    },
    Part {
        who: usize,
        whom: usize,
    },
    /// One or, all at once, several.
    Block {
        who: usize,
        whom: Vec<usize>,
    },
    Unblock {
        who: usize,
        whom: usize,
    },
    LogIn {
        who: usize,
        password: String,
    },
}

impl World {
    fn person(&self, who: usize) -> &Person {
        self.0[who].as_ref().expect("the person is registered")
    }

    fn person_mut(&mut self, who: usize) -> &mut Person {
        self.0[who].as_mut().expect("the person is registered")
    }

    /// A deed that is possible now and changes something.
    pub fn choose(&self, random: &mut Random, number: usize) -> Deed {
        loop {
            if let Some(deed) = self.maybe(random, number) {
                return deed;
            }
        }
    }

    fn maybe(&self, random: &mut Random, number: usize) -> Option<Deed> {
        let absent: Vec<usize> = (0..PEOPLE).filter(|&who| self.0[who].is_none()).collect();
        if !absent.is_empty() && random.below(3) == 0 {
            let (count, password) = (1 + random.below(absent.len()), format!("password-{number}"));
            let joins = random.below(3) == 0;
            return Some(if joins {
                Deed::Join { who: absent[0], password }
            } else {
                Deed::Register { who: absent[..count].to_vec(), password }
            });
        }
        let (who, whom) = (random.below(PEOPLE), random.below(PEOPLE));
        let person = self.0[who].as_ref()?;
        let other = || self.0[whom].as_ref().filter(|_| who != whom).map(|_| whom);
        Some(match random.below(28) {
            0 => Deed::Delete { who },
            1 | 2 => Deed::SetPassword { who, password: format!("password-{number}") },
            3 | 4 if person.banned => Deed::Unban { who },
            3 => Deed::Ban { who },
            4 | 5 => Deed::Rename { who, nickname: format!("nickname {number}") },
            6 | 7 => Deed::Feel { who, mood: format!("mood {number}") },
            8 => Deed::Bind { who, device: format!("device-{number}") },
            9..=12 if person.contacts.contains(&other()?) => Deed::Part { who, whom },
            9..=12 => Deed::Befriend { who, whom: other()? },
            13..=15 if person.blocks.contains(&other()?) => Deed::Unblock { who, whom },
            13..=15 => Deed::Block { who, whom: self.unblocked_by(who, other()?) },
            _ if person.banned => return None,
            16..=19 => Deed::LogIn { who, password: person.password.clone() },
            20 | 21 => Deed::BindMobile { who, mobile: number },
            22 | 23 => Deed::TakeName { who, name: number },
            _ if !self.are_well_disposed(who, other()?) => return None,
            _ if person.asked_by.contains(&whom) => Deed::Accept { who, whom },
            _ if person.contacts.contains(&whom) => return None,
            _ => Deed::Apply { who, whom },
        })
    }

    /// Neither blocks the other, and nobody is banned: what is asked is heard.
    fn are_well_disposed(&self, who: usize, whom: usize) -> bool {
        let (one, other) = (self.person(who), self.person(whom));
        !one.banned && !other.banned && !one.blocks.contains(&whom) && !other.blocks.contains(&who)
    }

    /// Makes two contacts of each other, which answers whatever they have asked.
    fn befriend(&mut self, who: usize, whom: usize) {
        for (one, other) in [(who, whom), (whom, who)] {
            let person = self.person_mut(one);
            person.contacts.insert(other);
            person.asked_by.remove(&other);
        }
    }

    /// `first` and everybody else whom that person does not block.
    fn unblocked_by(&self, who: usize, first: usize) -> Vec<usize> {
        let blocks = &self.person(who).blocks;
        let others = (0..PEOPLE)
            .filter(|other| ![who, first].contains(other) && self.0[*other].is_some() && !blocks.contains(other));
        [first].into_iter().chain(others).collect()
    }

    /// The world after a deed. The token of a login comes with its answer.
    pub fn after(&self, deed: &Deed) -> Self {
        let mut world = self.clone();
        match deed {
            Deed::Register { who, password } => {
                let nickname = Some("new".to_owned());
                let person = Person { password: password.clone(), nickname, ..Person::default() };
                for &who in who {
                    world.0[who] = Some(person.clone());
                }
            }
            Deed::Join { who, password } => {
                world.0[*who] = Some(Person { password: password.clone(), is_open: true, ..Person::default() });
            }
            Deed::Delete { who } => {
                world.0[*who] = None;
                for other in world.0.iter_mut().flatten() {
                    other.contacts.remove(who);
                    other.blocks.remove(who);
                    other.asked_by.remove(who);
                }
            }
            Deed::SetPassword { who, password } => {
                let person = world.person_mut(*who);
                (person.password, person.token) = (password.clone(), None);
            }
            Deed::Ban { who } => {
                let person = world.person_mut(*who);
                (person.banned, person.token) = (true, None);
            }
            Deed::Unban { who } => world.person_mut(*who).banned = false,
            Deed::Rename { who, nickname } => world.person_mut(*who).nickname = Some(nickname.clone()),
            Deed::BindMobile { who, mobile } => world.person_mut(*who).mobile = Some(*mobile),
            Deed::TakeName { who, name } => world.person_mut(*who).called = Some(*name),
            Deed::Feel { who, mood } => world.person_mut(*who).mood = Some(mood.clone()),
            Deed::Bind { who, device } => world.person_mut(*who).device = Some(device.clone()),
            Deed::Apply { who, whom } if !world.person(*whom).is_open => {
                world.person_mut(*whom).asked_by.insert(*who);
            }
            Deed::Befriend { who, whom } | Deed::Apply { who, whom } | Deed::Accept { who, whom } => {
                world.befriend(*who, *whom);
            }
            Deed::Part { who, whom } => {
                world.person_mut(*who).contacts.remove(whom);
                world.person_mut(*whom).contacts.remove(who);
            }
            Deed::Block { who, whom } => world.person_mut(*who).blocks.extend(whom),
            Deed::Unblock { who, whom } => drop(world.person_mut(*who).blocks.remove(whom)),
            Deed::LogIn { .. } => {}
        }
        world
    }

    /// Keeps the token of a login.
    pub fn keep_token(&mut self, who: usize, token: String) {
        self.person_mut(who).token = Some(token);
    }
}
