public import TocsinCore
public import TocsinDetect

/// Everything that shapes the engine's work. The defaults are those of the documentation.
public struct EngineSettings: Sendable {
    /// Workers that share the sensors among them; 0 = one per core.
    public var shards: Int
    /// Batches that may wait in front of each stage; beyond that, sources wait.
    public var inboxBatches: Int
    public var windows: [WindowDefinition]
    public var allowedLateness: Span64
    public var order: EventOrdering
    /// Live only: without input for this long the stream goes on by the wall clock.
    public var idleTimeout: Span64
    public var validation: ValidationSettings
    public var bank: BankSettings
    /// Normal operating ranges by metric name (case ignored): values outside are accepted, and reported as `range`.
    public var limits: [String: ClosedRange<Double>]
    public var forests: ForestSettings
    public var ensemble: EnsembleSettings
    public var fire: FireWatchSettings
    public var sequences: SequenceSettings
    public var alarms: AlarmSettings
    public var rules: AlarmRules
    public var calendar: AlarmCalendar
    public var assets: AssetNames
    public var sharing: SensorSharing
    /// Live input goes by the wall clock too: a quiet stream still notices silence. Off for replay.
    public var isLive: Bool

    public init(
        shards: Int = 0, inboxBatches: Int = 8,
        windows: [WindowDefinition] = [.oneMinute, .fiveMinutes], allowedLateness: Span64 = .seconds(30),
        order: EventOrdering = .arrival, idleTimeout: Span64 = .seconds(5),
        validation: ValidationSettings = ValidationSettings(), bank: BankSettings = BankSettings(),
        limits: [String: ClosedRange<Double>] = [:],
        forests: ForestSettings = ForestSettings(), ensemble: EnsembleSettings = EnsembleSettings(),
        fire: FireWatchSettings = FireWatchSettings(), sequences: SequenceSettings = SequenceSettings(),
        alarms: AlarmSettings = AlarmSettings(), rules: AlarmRules = AlarmRules(),
        calendar: AlarmCalendar = AlarmCalendar(), assets: AssetNames = AssetNames(), sharing: SensorSharing = .none,
        isLive: Bool = true
    ) {
        self.shards = shards
        self.inboxBatches = inboxBatches
        self.windows = windows
        self.allowedLateness = allowedLateness
        self.order = order
        self.idleTimeout = idleTimeout
        self.validation = validation
        self.bank = bank
        self.limits = limits
        self.forests = forests
        self.ensemble = ensemble
        self.fire = fire
        self.sequences = sequences
        self.alarms = alarms
        self.rules = rules
        self.calendar = calendar
        self.assets = assets
        self.sharing = sharing
        self.isLive = isLive
    }
}

/// Whether sensors move between processes, and what the processes have in common.
public enum SensorSharing: Sendable {
    /// The process is alone. One that has no checkpoint takes up the alarms that are open in the store, and what people have
    /// said.
    case none
    /// All write into one store: a sensor's open alarms come with it, and their rows are there.
    case throughStore
    /// Each has a store of its own: an alarm that comes is written into it, one that leaves is over as far as it is concerned.
    case betweenStores
}

/// In which order events are judged.
public enum EventOrdering: Sendable {
    /// As they arrive: verdicts within milliseconds. Windows are the same for every order of arrival within the allowed
    /// lateness; verdicts of the bank follow the arrival.
    case arrival
    /// By event time, then by name: events wait until the stream is `allowedLateness` past them. Then verdicts and alarms
    /// too are the same for every order of arrival within it. What waits is acknowledged, so live input needs a spool.
    case event
}

/// The Isolation Forests on events and on windows.
public struct ForestSettings: Sendable {
    public var onEvents: Bool
    public var onWindows: Bool
    /// Newly trained forests go to the store. Off for replay, which finds the same again each time.
    public var areSaved: Bool
    public var trees: Int
    public var samples: Int
    /// Events (windows) that are learnt from before scoring begins.
    public var learningRows: Int
    public var seed: UInt64

    public init(
        onEvents: Bool = true, onWindows: Bool = true, areSaved: Bool = true, trees: Int = 100, samples: Int = 256,
        learningRows: Int = 1000, seed: UInt64 = 1
    ) {
        self.onEvents = onEvents
        self.onWindows = onWindows
        self.areSaved = areSaved
        self.trees = trees
        self.samples = samples
        self.learningRows = learningRows
        self.seed = seed
    }
}

/// Whether work flows.
public enum EngineCondition: Sendable, Equatable {
    case running
    /// Input has ended; what is inside is being finished.
    case draining
    /// The store refuses; the reason is for people. Input goes on into the spool.
    case spooling(String)
    /// Nothing can be made durable; the reason is for people. Everything waits, nothing is lost.
    case stalled(String)
}

/// A model that is not ready yet.
public struct LearningProgress: Sendable {
    public var name: String
    /// 0…1
    public var progress: Double
}
