# The tests of latent_equilibrium.

add_library(prospero_layered_support STATIC EXCLUDE_FROM_ALL
  ${PROJECT_SOURCE_DIR}/tests/support/layered.cc
  ${PROJECT_SOURCE_DIR}/tests/support/naive_layers.cc
)
target_link_libraries(prospero_layered_support
  PUBLIC prospero_test_support
  PRIVATE prospero_options)

prospero_test(NAME latent_equilibrium_golden_test SOURCES latent_equilibrium_golden_test.cc
  LIBS prospero_layered_support)
prospero_test(NAME latent_equilibrium_fourier_test SOURCES latent_equilibrium_fourier_test.cc
  LIBS prospero_layered_support)
prospero_test(NAME latent_equilibrium_equations_test SOURCES latent_equilibrium_equations_test.cc
  LIBS prospero_layered_support)
prospero_test(NAME latent_equilibrium_gradient_test SOURCES latent_equilibrium_gradient_test.cc
  LIBS prospero_layered_support)
prospero_test(NAME latent_equilibrium_alignment_test SOURCES latent_equilibrium_alignment_test.cc
  LIBS prospero_layered_support)
prospero_test(NAME latent_equilibrium_test SOURCES latent_equilibrium_test.cc
  LIBS prospero_layered_support)
# Sanitizers need malloc for themselves.
if(NOT PROSPERO_SANITIZE)
  prospero_test(NAME latent_equilibrium_allocation_test
    SOURCES latent_equilibrium_allocation_test.cc ${PROJECT_SOURCE_DIR}/tests/support/no_alloc.cc
    LIBS prospero_layered_support)
  prospero_test(NAME latent_equilibrium_memory_test
    SOURCES latent_equilibrium_memory_test.cc ${PROJECT_SOURCE_DIR}/tests/support/no_alloc.cc
    LIBS prospero_layered_support)
endif()
prospero_test(NAME latent_equilibrium_check_test SOURCES latent_equilibrium_check_test.cc
  LIBS prospero_layered_support)
prospero_test(NAME latent_equilibrium_tau_test SOURCES latent_equilibrium_tau_test.cc
  LIBS prospero_layered_support)
