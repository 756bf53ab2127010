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
    pub nickname: String,
    pub mood: Option<String>,
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
            let count = 1 + random.below(absent.len());
            return Some(Deed::Register { who: absent[..count].to_vec(), password: format!("password-{number}") });
        }
        let (who, whom) = (random.below(PEOPLE), random.below(PEOPLE));
        let person = self.0[who].as_ref()?;
        let other = || self.0[whom].as_ref().filter(|_| who != whom).map(|_| whom);
        Some(match random.below(20) {
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
            _ => Deed::LogIn { who, password: person.password.clone() },
        })
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
                let person = Person { password: password.clone(), nickname: "new".to_owned(), ..Person::default() };
                for &who in who {
                    world.0[who] = Some(person.clone());
                }
            }
            Deed::Delete { who } => {
                world.0[*who] = None;
                for other in world.0.iter_mut().flatten() {
                    other.contacts.remove(who);
                    other.blocks.remove(who);
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
            Deed::Rename { who, nickname } => world.person_mut(*who).nickname.clone_from(nickname),
            Deed::Feel { who, mood } => world.person_mut(*who).mood = Some(mood.clone()),
            Deed::Bind { who, device } => world.person_mut(*who).device = Some(device.clone()),
            Deed::Befriend { who, whom } => {
                world.person_mut(*who).contacts.insert(*whom);
                world.person_mut(*whom).contacts.insert(*who);
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
