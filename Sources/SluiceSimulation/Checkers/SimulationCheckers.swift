/// All checkers, fresh for one run.
package enum SimulationCheckers {
  package static func all() -> [any SimulationChecker] {
    [
      TicketsEndOnce(), LeasesFitCapacity(), ConnectionsFitLimits(), GrantsAreEligible(), EjectionIsRespected(),
      ClassOrderHolds(), NobodyStarves(), IdleIsVerified(), WorkIsConserved(), RefusalsAreTrue(), PauseHolds(),
      CountersAreTrue(), BooksAreSound(), NextOpensInTime(), LentIsNotCut(), PoolRecovers(), DrainFinishes(),
      HeartbeatsAreSparing(), NearestRegionServes(), FullRegionSpills(),
    ]
  }
}
