internal import TocsinDetect
internal import TocsinEngine
internal import TocsinEvaluation

/// What judges a recording in `tocsin replay`.
public enum ReplayDetector: Sendable, Equatable {
    /// A detector of the engine, at work as in `tocsin run`.
    case engine(Part)
    /// A detector of `EvaluatedDetector.all`: fitted on the first rows of each sensor, given the rest at the end.
    case judge(String)

    /// What the engine can be asked for alone.
    public enum Part: String, CaseIterable, Sendable {
        /// Everything that is configured.
        case configured = "default"
        case bank
        case eventForest = "event-forest"
        case windowForest = "window-forest"
        /// Novelty and asset chart, tipped by the bank's evidence.
        case ensemble
        /// Smoke and fire sensors: limits, changes, and a forest where there is a model.
        case fire
        /// The same, and only with a trained forest.
        case randomForest = "random-forest"
        /// Trained models where there are some, else one fitted on the first rows.
        case lstm
    }

    /// Every name that there is: the engine's first.
    public static var names: [String] {
        let parts = Part.allCases.map(\.rawValue)
        return parts + EvaluatedDetector.all.filter { $0.isCausal && !parts.contains($0.name) }.map(\.name)
    }

    public var name: String {
        switch self {
        case .engine(let part): part.rawValue
        case .judge(let name): name
        }
    }

    /// nil for a name that there is not.
    public init?(name: String) {
        guard Self.names.contains(name) else { return nil }
        self = Part(rawValue: name).map { .engine($0) } ?? .judge(name)
    }

    /// Leaves the engine with this detector alone; a judge leaves it with none.
    func apply(to settings: inout EngineSettings) {
        guard self != .engine(.configured) else { return }
        let kinds = settings.bank.enabledKinds
        settings.bank.enabledKinds = []
        settings.forests.onEvents = false
        settings.forests.onWindows = false
        settings.ensemble.isEnabled = false
        settings.fire.isEnabled = false
        let models = settings.sequences.models
        settings.sequences.models = [:]
        guard case .engine(let part) = self else { return }
        switch part {
        case .configured: break
        case .bank: settings.bank.enabledKinds = kinds.isEmpty ? BankSettings().enabledKinds : kinds
        case .eventForest: settings.forests.onEvents = true
        case .windowForest: settings.forests.onWindows = true
        case .ensemble: settings.ensemble.isEnabled = true
        case .fire, .randomForest: settings.fire.isEnabled = true
        case .lstm:
            settings.sequences.models = models
            // The gate asks the detectors that are off.
            settings.sequences.isGated = false
        }
    }

    /// The judge that is to be asked, where the engine does not do it itself.
    func judge(_ settings: EngineSettings) -> String? {
        switch self {
        case .judge(let name): name
        case .engine(.lstm) where settings.sequences.models.isEmpty: "lstm"
        case .engine: nil
        }
    }
}
