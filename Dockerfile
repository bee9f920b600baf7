# The course on a processor: Binder, dev containers (.devcontainer) and `docker build -t dalle-edu .` all take this file.
FROM python:3.12-slim-bookworm

ARG NB_USER=student
ARG NB_UID=1000
ENV HOME=/home/${NB_USER} \
    OMP_WAIT_POLICY=PASSIVE \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --create-home --uid ${NB_UID} ${NB_USER}

# The CPU build of torch, which is also the small one.
WORKDIR ${HOME}/course
COPY . .
RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu -c constraints.txt -e ".[course]" \
    && chown -R ${NB_UID} ${HOME}

USER ${NB_USER}
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--ServerApp.root_dir=lessons"]
