//! The operations: one per documented call. Everything that depends on the call and not on its data hangs on it.

use yinxin_core::rates::Bucket;

macro_rules! ops {
    ($($name:ident = $label:literal, $bucket:ident;)*) => {
        /// A call of the dialect.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Op { $($name,)* }

        impl Op {
            /// Every operation.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in metrics and logs.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// The calls it is counted with.
            pub const fn bucket(self) -> Bucket {
                match self { $(Self::$name => Bucket::$bucket,)* }
            }
        }
    };
}

ops! {
    Token = "token", Tokens;
    TokenExpiry = "token.expiry", Tokens;
    UserRegister = "user.register", Users;
    UserList = "user.list", Users;
    UserGet = "user.get", Users;
    UserPut = "user.put", Users;
    UserDelete = "user.delete", Users;
    UserDeleteMany = "user.delete_many", UserDeletes;
    PasswordSet = "user.password", Users;
    Deactivate = "user.deactivate", Users;
    Activate = "user.activate", Users;
    Disconnect = "user.disconnect", Users;
    Resources = "user.resources", Users;
    Status = "status.one", Users;
    StatusBatch = "status.batch", StatusBatch;
    OfflineCount = "offline.count", Users;
    OfflineStatus = "offline.status", Users;
    ContactAdd = "contact.add", Users;
    ContactRemove = "contact.remove", Users;
    ContactClear = "contact.clear", Users;
    ContactList = "contact.list", Users;
    ContactPage = "contact.page", Users;
    ContactRemark = "contact.remark", Users;
    ContactImport = "contact.import", Users;
    ContactInvite = "contact.invite", Users;
    ContactAccept = "contact.accept", Users;
    ContactDecline = "contact.decline", Users;
    ContactCheck = "contact.check", Users;
    BlockAdd = "block.add", Blocks;
    BlockRemove = "block.remove", Blocks;
    BlockList = "block.list", Blocks;
    BlockCheck = "block.check", Blocks;
    MessageSend = "message.send", Users;
    MessageSendOld = "message.send_old", Users;
    MessageHistory = "message.history", Users;
    HistoryErase = "message.erase", Users;
    ReactionAdd = "reaction.add", Users;
    ReactionRemove = "reaction.remove", Users;
    ReactionList = "reaction.list", Users;
    ReactionDetail = "reaction.detail", Users;
    MessageReport = "message.report", Users;
    MessagePin = "message.pin", Users;
    MessageUnpin = "message.unpin", Users;
    MessagePins = "message.pins", Users;
    ConversationList = "conversation.list", Users;
    ConversationPin = "conversation.pin", Users;
    ConversationUnpin = "conversation.unpin", Users;
    ConversationMark = "conversation.mark", Users;
    ConversationUnmark = "conversation.unmark", Users;
    ConversationRemove = "conversation.remove", Users;
    FileUpload = "file.upload", Files;
    FileGet = "file.get", Files;
    FilePartsBegin = "file.parts_begin", Files;
    FilePartPut = "file.part_put", Files;
    FilePartsComplete = "file.parts_complete", Files;
    FilePartsAbort = "file.parts_abort", Files;
    AttributesPut = "attributes.put", Users;
    AttributesGet = "attributes.get", Users;
    AttributesBatch = "attributes.batch", Users;
    AttributesClear = "attributes.clear", Users;
    AttributesCapacity = "attributes.capacity", Users;
    MuteSet = "mute.set", Users;
    MuteGet = "mute.get", Users;
    MuteList = "mute.list", Users;
    PresencePublish = "presence.publish", Presence;
    PresenceSubscribe = "presence.subscribe", Presence;
    PresenceGet = "presence.get", Presence;
    PresenceUnsubscribe = "presence.unsubscribe", Presence;
    PresenceSubscriptions = "presence.subscriptions", Presence;
    PushBind = "push.bind", Users;
    PushBindings = "push.bindings", Users;
    PushNicknames = "push.nicknames", Users;
    PushRuleSet = "push.rule_set", Users;
    PushRuleGet = "push.rule_get", Users;
    PushRuleList = "push.rule_list", Users;
    PushRulesGet = "push.rules_get", Users;
    PushLanguageSet = "push.language_set", Users;
    PushLanguageGet = "push.language_get", Users;
    PushTemplateChoose = "push.template_choose", Templates;
    PushTemplateChosen = "push.template_chosen", Templates;
    TemplateAdd = "template.add", Templates;
    TemplateGet = "template.get", Templates;
    TemplateSet = "template.set", Templates;
    TemplateRemove = "template.remove", Templates;
    NotifierList = "notifier.list", Users;
    NotifierGet = "notifier.get", Users;
    NotifierAdd = "notifier.add", Users;
    NotifierRemove = "notifier.remove", Users;
    AppSet = "app.set", Users;
    Groups = "groups", Users;
    Rooms = "rooms", Users;
    Threads = "threads", Users;
    Circles = "circles", Users;
    Translation = "translation", Users;
    NoService = "no_service", Users;
    NotOffered = "not_offered", Users;
    Unknown = "unknown", Users;
}

impl Op {
    /// Calls of the attribute service, which has an error body of its own for refusals.
    pub const fn is_attributes(self) -> bool {
        matches!(
            self,
            Self::AttributesPut
                | Self::AttributesGet
                | Self::AttributesBatch
                | Self::AttributesClear
                | Self::AttributesCapacity
        )
    }

    /// Calls about files, whose permission text names those.
    pub const fn is_files(self) -> bool {
        matches!(
            self,
            Self::FileUpload
                | Self::FileGet
                | Self::FilePartsBegin
                | Self::FilePartPut
                | Self::FilePartsComplete
                | Self::FilePartsAbort
        )
    }

    /// Calls whose permission text names the user in the path.
    pub const fn is_about_one_user(self) -> bool {
        !matches!(
            self,
            Self::UserList
                | Self::UserDeleteMany
                | Self::UserPut
                | Self::UserRegister
                | Self::MessageSend
                | Self::MessageSendOld
        )
    }
}
