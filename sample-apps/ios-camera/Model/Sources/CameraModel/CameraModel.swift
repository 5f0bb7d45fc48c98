import BigLittle
import Foundation
import Observation

/// What the app does: opens the engine, classifies frames, listens to the phone.
///
/// The screen reads ``state`` and calls the rest. It knows no view and no camera, and
/// outlives rotations of the phone.
@MainActor @Observable
public final class CameraModel {
  /// What the screen shows.
  public private(set) var state = CameraUiState()

  /// Of how many frames one looks at the books and the policy.
  private static let lookEvery = 5

  private let parts: CameraParts
  @ObservationIgnored private(set) var heat: HeatReplay
  @ObservationIgnored private var escalations = EscalationWindow()
  @ObservationIgnored private var engine: BigLittle?
  @ObservationIgnored private var opening: Task<BigLittle, any Error>?
  @ObservationIgnored private var running: Task<Void, Never>?
  @ObservationIgnored private var ticking: Task<Void, Never>?
  @ObservationIgnored private var lastReading: DeviceReading?

  /// A model that has not begun.
  public init(parts: CameraParts) {
    self.parts = parts
    heat = HeatReplay(parts.heat)
    state.heat = heat.state
  }

  /// What the user wants to see. The screen then calls ``start(_:)`` or
  /// ``startRecorded()``.
  public func choose(_ source: CameraUiState.Source) { state.source = source }

  /// Looks through the camera, or says why that cannot be; where there is none, the
  /// recorded digits are shown.
  public func start(_ access: CameraAccess) {
    state.source = .camera
    switch access {
    case .denied:
      stop()
      state.stage = .needsPermission
    case .missing:
      state.hasCamera = false
      startRecorded()
    case .granted(let frames):
      run { engine, show in
        for try await outcome in engine.classify(frames) { try await show(outcome, nil) }
      }
    }
  }

  /// Shows recorded digits, over and over.
  public func startRecorded() {
    state.source = .recorded
    run { [parts] engine, show in
      var shown = 0
      // A replay leaves no frame out, and so each picture goes with its answer.
      for await frame in parts.replay() {
        let outcome = try await engine.classify(frame)
        try await show(outcome, parts.pictures[shown % parts.pictures.count])
        shown += 1
      }
    }
  }

  /// Classifies no more, as when the app goes to the background. The engine and what
  /// it has learnt stay.
  public func stop() {
    running?.cancel()
    running = nil
    ticking?.cancel()
    ticking = nil
    parts.device.stop()
  }

  /// What the user prefers.
  public func select(_ mode: UserMode) {
    state.mode = mode
    try? engine?.setMode(mode)
  }

  /// Moves to a place in the recording of a phone that gets hot, which then speaks in
  /// place of this one; 0 gives this phone its voice back.
  public func simulateHeat(_ position: Int) {
    let wasSimulated = heat.position > 0
    for reading in heat.move(to: position, nowMs: DeviceReading.nowMs()) { hear(reading) }
    state.heat = heat.state
    if running != nil, wasSimulated != (heat.position > 0) { listen() }
  }

  private typealias Show = @MainActor (Outcome, Picture?) async throws -> Void

  private func run(_ frames: @escaping @MainActor (BigLittle, Show) async throws -> Void) {
    stop()
    state.stage = .starting
    (state.picture, state.answer) = (nil, nil)
    running = Task { [weak self] in
      do {
        guard let engine = try await self?.opened(), !Task.isCancelled else { return }
        try await frames(engine) { [weak self] in try await self?.show($0, $1, engine) }
      } catch {
        // Who stopped it does not want to hear that.
        if !Task.isCancelled { self?.fail(error) }
      }
    }
    listen()
    ticking = Task { [weak self] in
      while (try? await Task.sleep(for: HeatReplay.tick)) != nil {
        // Again and again: a reading that is not repeated counts as unknown.
        if let reading = self?.heat.stay() { self?.hear(reading) }
      }
    }
  }

  /// Opens the engine once, however often the app is stopped and started meanwhile;
  /// again after a failure.
  private func opened() async throws -> BigLittle {
    if let engine { return engine }
    let opening = self.opening ?? Task { [open = parts.open] in try await open() }
    self.opening = opening
    do {
      let engine = try await opening.value
      if self.engine == nil {
        self.engine = engine
        try engine.setMode(state.mode)
        if let lastReading { try engine.push(lastReading) }
      }
      return engine
    } catch {
      self.opening = nil
      throw error
    }
  }

  private func show(_ outcome: Outcome, _ picture: Picture?, _ engine: BigLittle) async throws {
    try Task.checkCancellation()
    if outcome.status != .dropped { escalations.add(outcome.escalated) }
    state.stage = .running
    state.picture = picture
    state.answer = CameraUiState.Answer(outcome, after: state.answer)
    state.rate = escalations.rate
    guard escalations.total % Self.lookEvery == 1 else { return }
    let (status, savings) = (try await engine.status(), try await engine.savings())
    state.level = Int(status.level)
    state.savedShare = savings.timeSaving ?? state.savedShare
  }

  private func fail(_ error: any Error) {
    stop()
    state.stage = .failed((error as? BigLittleError)?.message ?? error.localizedDescription)
  }

  /// Readings come from the recording or from the phone, never from both. A phone that
  /// is listened to anew says all at once.
  private func listen() {
    guard heat.position == 0 else { return parts.device.stop() }
    parts.device.start { [weak self] reading in self?.hear(reading) }
  }

  private func hear(_ reading: DeviceReading) {
    lastReading = reading
    state.device.hear(reading)
    try? engine?.push(reading)
  }
}
