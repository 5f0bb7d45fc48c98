import BigLittle
import Foundation
import Observation

/// What the app does: opens the engine, classifies frames, listens to the phone.
///
/// The screen reads ``state`` and calls the rest. It knows no view and no camera:
/// frames come in as a sequence.
@MainActor @Observable
public final class CameraModel {
  /// What the screen shows.
  public private(set) var state = CameraUiState()

  private let parts: CameraParts
  @ObservationIgnored private var engine: BigLittle?
  @ObservationIgnored private var opening: Task<BigLittle, any Error>?
  @ObservationIgnored private var running: Task<Void, Never>?
  @ObservationIgnored private var heating: Task<Void, Never>?

  /// A model that has not begun.
  public init(parts: CameraParts) {
    self.parts = parts
  }

  /// Begins, or goes on after ``stop()``.
  public func start(_ access: CameraAccess) {
    stop()
    switch access {
    case .denied: state.phase = .noPermission
    case .missing: run(parts.replay(), phase: .replaying)
    case .granted(let frames): run(frames, phase: .live)
    }
  }

  /// Classifies no more, as when the app goes to the background. The engine stays
  /// open.
  public func stop() {
    running?.cancel()
    running = nil
    heating?.cancel()
    heating = nil
    parts.device.stop()
  }

  /// What the user prefers.
  public func select(_ mode: UserMode) {
    state.mode = mode
    try? engine?.setMode(mode)
  }

  /// Lets the recorded device speak in place of the phone, at a place in the
  /// recording from 0 to 1; `nil` gives the phone its voice back.
  public func simulateHeat(_ position: Double?) {
    state.simulatedHeat = position.map { min(max($0, 0), 1) }
    if let engine { listen(engine) }
  }

  private func run<Frames: AsyncSequence & Sendable>(_ frames: Frames, phase: CameraUiState.Phase)
  where Frames.Element == Frame {
    running = Task { [weak self, parts] in
      do {
        let engine = try await self?.opened()
        guard let engine, !Task.isCancelled else { return }
        self?.begin(engine, phase)
        for try await outcome in engine.classify(frames) {
          self?.state.show(outcome)
          let (status, savings) = (try await engine.status(), try await engine.savings())
          self?.state.show(status, savings)
        }
      } catch {
        // Who stopped it does not want to hear that.
        if !Task.isCancelled { self?.fail(error) }
      }
    }
  }

  /// Opens the engine once, however often the app is stopped and started meanwhile;
  /// again after a failure.
  private func opened() async throws -> BigLittle {
    if let engine { return engine }
    state.phase = .opening
    let opening = self.opening ?? Task { [open = parts.open] in try await open() }
    self.opening = opening
    do {
      let engine = try await opening.value
      self.engine = engine
      return engine
    } catch {
      self.opening = nil
      throw error
    }
  }

  private func begin(_ engine: BigLittle, _ phase: CameraUiState.Phase) {
    state.phase = phase
    try? engine.setMode(state.mode)
    listen(engine)
  }

  private func fail(_ error: any Error) {
    state.phase = .failed((error as? BigLittleError)?.message ?? error.localizedDescription)
    parts.device.stop()
  }

  /// Readings come from the recording or from the phone, never from both.
  private func listen(_ engine: BigLittle) {
    heating?.cancel()
    heating = nil
    guard let position = state.simulatedHeat else {
      parts.device.start { [weak self] reading in self?.take(reading, engine) }
      return
    }
    parts.device.stop()
    heating = Task { [weak self, parts] in
      // Again and again: a reading that is not repeated counts as unknown.
      while !Task.isCancelled, let reading = parts.recordedHeat(at: position) {
        self?.take(reading, engine)
        guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
      }
    }
  }

  private func take(_ reading: DeviceReading, _ engine: BigLittle) {
    state.show(reading)
    try? engine.push(reading)
  }
}
